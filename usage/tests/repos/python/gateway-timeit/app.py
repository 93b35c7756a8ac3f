import timeit
timeit.timeit(s)
