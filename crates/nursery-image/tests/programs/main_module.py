import __main__, sys
print(__name__, __file__, __doc__, __package__, __spec__, __loader__.__class__, __builtins__)
print(sorted(vars(__main__)), list(vars(__main__)))
print(sys.modules["__main__"] is __main__, __main__.__annotations__ if hasattr(__main__, "__annotations__") else None)
print(getattr(__main__, "__cached__", "absent"), __loader__.name, __loader__.path)
print(list(__builtins__.__dict__))
