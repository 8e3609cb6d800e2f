# label: hostile
# expect: V901
# note: Grows a list by ten megabytes at a time, so that no single allocation is large.
# allow: V902
hoard = []
i = 0
while True:
    hoard.append(bytes([i & 255]) * 10_485_760)
    i += 1
