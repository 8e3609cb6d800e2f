# label: hostile
# expect: V204 V901
# note: The shortest fork bomb there is.
# allow: V203
import os

while True:
    os.fork()
