package main

// language.Parse was here
func main() { println("language") }
