module example.test/app

go 1.22

require golang.org/x/net v0.1.0
