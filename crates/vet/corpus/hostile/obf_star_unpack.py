# label: hostile
# expect: V201
# note: Functions and arguments are taken out of tuples by starred unpacking; the call names nothing.
# obfuscated: yes
# allow: V501 V504
import os

(first, *middle, last), (*args, end) = (os.system, 1, 2, exec), ("id", "uname", "print(7)")
first(*args[:1])
first(args[1])
last(end)
