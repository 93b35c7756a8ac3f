package main

import (
	"example.test/app/language"

	xt "golang.org/x/text/language"
)

func main() { language.Parse("x"); xt.Parse("en") }
