x = 1
import yaml
