INSTALLED_APPS = ["corsheaders"]
