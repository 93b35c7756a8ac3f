package language

func Parse(string) {}
