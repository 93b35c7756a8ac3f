from google.cloud import storage

client = storage.Client()
client.bucket("x")
