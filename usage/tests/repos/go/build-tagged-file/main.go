package main

func main() { setup() }
