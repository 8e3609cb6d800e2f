# label: hostile
# expect: V201 V502
# note: Module and function names are summed up from chr calls; a folding reader sees os and system.
# obfuscated: yes
# allow: V503 V504
m = chr(111) + chr(115)
f = chr(115) + chr(121) + chr(115) + chr(116) + chr(101) + chr(109)
getattr(__import__(m), f)(chr(105) + chr(100))
