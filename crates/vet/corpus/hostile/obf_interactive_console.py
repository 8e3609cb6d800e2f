# label: hostile
# expect: V501 V504
# note: The code module's interpreter runs decoded lines; no exec in sight.
# obfuscated: yes
# allow: V201
import code
import codecs

i = code.InteractiveInterpreter()
for line in ("vzcbeg bf", "bf.flfgrz('vq')"):
    i.runsource(codecs.encode(line, "rot13"))
