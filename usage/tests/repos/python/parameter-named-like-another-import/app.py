import json
import make


def fetch(json):
    return json.get("/")


fetch(make.session())
