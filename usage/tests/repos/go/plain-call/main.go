package main

import "golang.org/x/text/language"

func parse() { language.Parse("en") }

func main() { parse() }
