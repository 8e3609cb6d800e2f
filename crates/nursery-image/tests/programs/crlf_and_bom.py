import sys
print(__file__, "ä")
def f():
  raise ValueError("x")
f()
