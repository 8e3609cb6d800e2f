# label: hostile
# expect: V201 V502 V503
# note: Names assembled from slices of a docstring, so that no fragment of them is in quotes.
# obfuscated: yes
# allow: V504
"""Some notes on the osmosis of a system, by nobody in particular."""

d = __doc__
m = d[18:20]
i = d.index("system")
n = d[i : i + 6]
getattr(__import__(m), n)("id")
