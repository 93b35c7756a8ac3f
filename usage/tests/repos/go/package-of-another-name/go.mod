module example.test/app

go 1.22

require github.com/acme/go-config-v1 v1.0.0
