package main

import lang "golang.org/x/text/language"

func main() { lang.Parse("en") }
