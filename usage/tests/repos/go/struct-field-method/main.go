package main

import "golang.org/x/net/http2"

type conn struct{ *http2.Framer }

func main() { c := conn{}; c.ReadFrame() }
