# label: hostile
# expect: V201 V601
# note: One line, as it would be typed into a form: a comprehension over the subclasses that ends in a shell.
# profile.name, as typed into the form
value = ""
print([c for c in value.__class__.__mro__[-1].__subclasses__() if "wrap_close" in str(c)][0].__init__.__globals__["popen"]("id").read())
