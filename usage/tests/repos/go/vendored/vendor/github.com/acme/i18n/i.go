package i18n

import "golang.org/x/text/language"

func Run() { language.Parse("en") }
