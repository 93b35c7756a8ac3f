package main

import "golang.org/x/text/language"

type box struct{}

func (box) Parse(string) {}

func local() {
	language := box{}
	language.Parse("x")
}

func main() { local(); language.Make("x") }
