//go:build linux

package main

import "golang.org/x/text/language"

func setup() { language.Parse("en") }
