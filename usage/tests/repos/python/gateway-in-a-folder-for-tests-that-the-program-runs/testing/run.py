import pickle

pickle.load(open("x", "rb"))
