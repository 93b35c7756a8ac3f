import zipimport
zipimport.zipimporter("x.zip").load_module("y")
