x = 1 # aimport yaml
