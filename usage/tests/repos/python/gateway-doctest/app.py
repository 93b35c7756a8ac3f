x=1
import doctest
doctest.testmod()
