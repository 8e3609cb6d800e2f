# label: hostile
# expect: V501
# note: Changes the constants of a harmless function's code object, so that calling it does something else.
# obfuscated: yes
def greet():
    return open("hello.txt").read()


c = greet.__code__
greet.__code__ = c.replace(
    co_consts=tuple("/work/../work/answers.txt" if k == "hello.txt" else k for k in c.co_consts)
)
print(greet())
