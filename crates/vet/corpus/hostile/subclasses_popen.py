# label: hostile
# expect: V201 V601
# note: The sandbox escape of the textbooks: walk from a tuple to object and from there to Popen.
for c in ().__class__.__bases__[0].__subclasses__():
    if c.__name__ == "Popen":
        c(["id"], shell=False)
        break
else:
    print("not loaded yet")
