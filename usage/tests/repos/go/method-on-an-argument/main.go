package main

import "golang.org/x/net/http2"

func read(f *http2.Framer) { f.ReadFrame() }

func main() { read(nil) }
