package main

import "golang.org/x/text/language"

func up() { language.Make("en").Parent() }

func main() { up() }
