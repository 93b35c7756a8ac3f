"""Once used yaml.load to read settings."""
# import yaml; yaml.load(x)
print("done")
