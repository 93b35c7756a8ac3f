package main

import "example.test/app/text"

func main() { text.Read("en") }
