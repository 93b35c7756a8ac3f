import requests


def fetch(client, url):
    return client.get(url)


fetch(requests.Session(), "/")
