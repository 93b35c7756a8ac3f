package main

import (
	"os"
	"plugin"
)

func main() {
	plugin.Open(os.Args[1])
}
