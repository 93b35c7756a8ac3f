package main

import (
	"fmt"

	l "golang.org/x/text/language"
)

func main() { fmt.Println(l.Parse("en")) }
