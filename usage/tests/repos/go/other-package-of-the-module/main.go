package main

import "golang.org/x/text/width"

func main() { width.Fold.String("x") }
