__import__("ya\x6dl")
