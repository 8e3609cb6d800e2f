# the named mappings in the order of their addresses, with what is allowed in each.
rows = []
for line in open("/proc/self/maps"):
    words = line.split(None, 5)
    if len(words) > 5:
        row = words[1], words[2], words[5].strip()
        if words[5].startswith(("/", "[heap", "[stack")) and (not rows or rows[-1] != row):
            rows.append(row)
order = [name for _, _, name in rows]
print(order.index("[heap]") > 0, order[-1])
for row in sorted(rows): print(*row)
