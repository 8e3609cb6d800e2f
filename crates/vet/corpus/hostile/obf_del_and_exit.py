# label: hostile
# expect: V201
# note: Calls happen when objects die and blocks end: __del__ and __exit__ do the work.
# obfuscated: yes
import os


class Guard:
    def __init__(self, word):
        self.word = word

    def __enter__(self):
        return self

    def __exit__(self, kind, error, tb):
        self.leave = os.popen(self.word)
        return True

    def __del__(self):
        os.system(self.word)


with Guard("hostname"):
    raise SystemExit
del Guard
