# id: H02
# title: A file in the output folder is collected
# expect: contained
# collect: present result.txt 6
# collect: present deeper/result.bin 3
# guards: scratch
# control: none, positive case

import os

os.makedirs("out/deeper", exist_ok=True)
with open("out/result.txt", "w") as file:
    file.write("result")
with open("out/deeper/result.bin", "wb") as file:
    file.write(b"\0\1\2")
print("CONTAINED: works, two files")
