package text

import "golang.org/x/text/language"

func Read(s string) { language.Parse(s) }
