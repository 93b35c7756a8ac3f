import ｙaml
