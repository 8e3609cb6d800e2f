# label: hostile
# expect: V201 V502 V503
# note: Strings spelled backwards and turned at the moment of use.
# obfuscated: yes
# allow: V504
flip = lambda s: s[::-1]
os_ = __import__(flip("so"))
getattr(os_, flip("metsys"))(flip("emanu"))
