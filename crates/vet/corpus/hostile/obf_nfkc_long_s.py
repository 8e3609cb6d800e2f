# label: hostile
# expect: V005 V201
# note: A long s in the middle of an attribute; the import is honest, the call folds to os.system.
# obfuscated: yes
import os


def status():
    return os.ſyſtem("id")


status()
