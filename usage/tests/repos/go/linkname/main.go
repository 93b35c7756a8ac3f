package main

import (
	"golang.org/x/text/language"
	_ "unsafe"
)

//go:linkname parse golang.org/x/text/language.Parse
func parse(s string)

func main() { language.Make("x"); parse("en") }
