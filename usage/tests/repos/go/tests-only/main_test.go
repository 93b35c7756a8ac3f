package main

import (
	"testing"

	"golang.org/x/text/language"
)

func TestIt(t *testing.T) { language.Parse("en") }
