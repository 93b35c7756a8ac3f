import requests

session = requests.Session()
session.get("/")
