# label: benign
# expect:
# note: Writes and removes files below /tmp and tempfile directories; deleting there is nobody's loss.
import os
import shutil
import tempfile

scratch = tempfile.mkdtemp(prefix="sort-")
try:
    for i in range(4):
        with open(os.path.join(scratch, f"run{i}.txt"), "w") as f:
            f.writelines(f"{(i * 7919 + k * 104729) % 9973}\n" for k in range(1000))
    with open("/tmp/merged.txt", "w") as out:
        for name in sorted(os.listdir(scratch)):
            with open(os.path.join(scratch, name)) as f:
                out.writelines(sorted(f, key=int))
finally:
    shutil.rmtree(scratch)

os.unlink("/tmp/merged.txt")
