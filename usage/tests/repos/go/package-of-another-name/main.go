package main

import "github.com/acme/go-config-v1"

func main() { settings.Load("x") }
