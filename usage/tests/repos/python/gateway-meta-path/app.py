import sys
sys.meta_path[2].find_spec("ya"+"ml",None).loader.load_module()
