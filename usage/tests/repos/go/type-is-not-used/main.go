package main

import "golang.org/x/net/html"

func main() { html.EscapeString("x") }
