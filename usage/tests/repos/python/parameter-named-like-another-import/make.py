import requests

session = requests.session
