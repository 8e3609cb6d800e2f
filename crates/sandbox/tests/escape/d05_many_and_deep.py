# id: D05
# title: Many files in a deep tree do not stop the collector
# expect: contained
# limits: files=3000 memory=128M
# collect: present plain.txt 5
# guards: scratch
# control: none, the case is about the collector

import os

os.makedirs("out", exist_ok=True)
top = os.getcwd()
for number in range(1000):
    open(f"out/empty-{number}", "w").close()
os.chdir("out")
for _ in range(800):
    os.mkdir("d" * 100)
    os.chdir("d" * 100)
open("bottom", "w").close()
os.chdir(top)
with open("out/plain.txt", "w") as file:
    file.write("plain")
print("CONTAINED: prepared, a path of eighty thousand bytes")
