package main

import "golang.org/x/text/language"

func apply[T any](f func(string) (T, error)) { f("en") }

func main() { defer apply(language.Parse) }
