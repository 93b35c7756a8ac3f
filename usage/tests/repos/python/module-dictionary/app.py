import yaml

yaml.__dict__["lo" + "ad"]("a: 1")
