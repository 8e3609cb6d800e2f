# coding: latin-1
print("ä", ascii("ä"))
