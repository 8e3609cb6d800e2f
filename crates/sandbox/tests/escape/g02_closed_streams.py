# id: G02
# title: Closing and replacing the standard streams confuses nobody
# expect: contained
# guards: output.bound
# control: none, the case is about the reader of the output

import os

saved = os.dup(1)
for number in (0, 1, 2):
    os.close(number)
# The next files get the numbers of the streams.
null = [os.open("/dev/null", os.O_RDWR) for _ in range(3)]
os.write(1, b"into nothing\n")
os.write(saved, b"CONTAINED: works, through the copy\n")
os._exit(0)
