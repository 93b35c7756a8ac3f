package main

import "golang.org/x/net/http2"

type reader interface{ ReadFrame() (http2.Frame, error) }

func read(r reader) { r.ReadFrame() }

func main() { read(http2.NewFramer(nil, nil)) }
