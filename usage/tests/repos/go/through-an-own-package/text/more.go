package text

func more() {}
