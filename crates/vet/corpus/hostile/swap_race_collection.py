# label: hostile
# expect: V101 V203 V901
# note: A thread swaps a result between a file and a symbolic link as fast as it can, to win a race with the collector.
import os
import threading

os.makedirs("out", exist_ok=True)
open("out/a", "w").close()
if not os.path.lexists("out/b"):
    os.symlink("/etc/hostname", "out/b")


def swap():
    while True:
        os.rename("out/a", "out/t")
        os.rename("out/b", "out/a")
        os.rename("out/t", "out/b")


threading.Thread(target=swap).start()
