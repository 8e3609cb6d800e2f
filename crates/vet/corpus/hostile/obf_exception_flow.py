# label: hostile
# expect: V201 V503
# note: Control flows by exceptions: the payload travels in their arguments and is called in a handler.
# obfuscated: yes
# allow: V504
import os


class Next(Exception):
    pass


def stage(n):
    try:
        if n == 0:
            raise Next("sys", "tem")
        stage(n - 1)
    except Next as e:
        if n < 2:
            raise Next(*e.args[:1], *e.args[1:])
        getattr(os, "".join(e.args))("id")


stage(2)
