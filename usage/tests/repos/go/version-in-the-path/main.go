package main

import "gopkg.in/yaml.v2"

func main() { yaml.Unmarshal(nil, nil) }
