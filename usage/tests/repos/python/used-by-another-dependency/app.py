import requests

requests.get("https://example.test")
