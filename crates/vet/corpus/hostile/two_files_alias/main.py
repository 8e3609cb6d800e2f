# label: hostile
# expect: V201
# note: The dangerous function is renamed twice in a helper module, so that main.py calls only `tidy.up`.
# obfuscated: yes
import tidy

for step in ("ls", "id", "uname -a"):
    tidy.up(step)
