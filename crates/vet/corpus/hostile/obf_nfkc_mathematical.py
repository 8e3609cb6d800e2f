# label: hostile
# expect: V005 V201
# note: Identifiers in mathematical bold letters, which the compiler reads as os.system.
# obfuscated: yes
import os as o

o.𝐬𝐲𝐬𝐭𝐞𝐦("id")
o.𝐩𝐨𝐩𝐞𝐧("uname").read()
