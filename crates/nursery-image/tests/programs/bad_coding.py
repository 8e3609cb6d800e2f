# coding: nothing-of-this-name
print("never")
