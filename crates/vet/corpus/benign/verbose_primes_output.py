# label: benign
# expect:
# note: Prints a hundred thousand lines because the exercise says so; much output, with an end.
# allow: V903
LIMIT = 1_300_000
flags = bytearray([1]) * (LIMIT + 1)
count = 0
for i in range(2, LIMIT + 1):
    if flags[i]:
        count += 1
        print(count, i)
        if count == 100_000:
            break
        flags[i * i :: i] = bytes(len(range(i * i, LIMIT + 1, i)))
