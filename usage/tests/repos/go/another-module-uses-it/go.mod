module example.test/app

go 1.22

require (
	github.com/acme/i18n v1.0.0
	golang.org/x/text v0.3.0
)
