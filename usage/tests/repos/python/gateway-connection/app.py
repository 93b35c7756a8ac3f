import multiprocessing.connection as c
c.Client(a).recv()
