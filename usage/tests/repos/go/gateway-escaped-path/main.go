package main

import "golang.org/x/te\x78t/language"

func main() {
	language.Parse("en")
}
