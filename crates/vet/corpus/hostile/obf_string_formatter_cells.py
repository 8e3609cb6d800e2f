# label: hostile
# expect: V501 V602
# note: Reads a closure's cells and swaps the code of a generator frame's function for another.
# obfuscated: yes
def outer():
    secret = open

    def inner():
        return secret

    return inner


f = outer()
opener = f.__closure__[0].cell_contents
gen = (x for x in range(1))
scope = gen.gi_frame.f_globals
f.__code__ = (lambda: secret).__code__ if False else f.__code__.replace(co_name="print")
scope["open"] = opener
eval(input("> "), scope)
