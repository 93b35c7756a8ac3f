package main

import "golang.org/x/text/language"

func main() { language.Make("en") }
