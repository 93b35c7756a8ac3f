package main

import "golang.org/x/text/language"

var parse = language.Parse

func main() { parse("en") }
