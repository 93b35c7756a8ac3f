package main

import "github.com/acme/i18n"

func main() { i18n.Run() }
