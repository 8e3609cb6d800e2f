# id: H02
# title: Temporary files and folders work
# expect: contained
# guards: scratch
# control: none, positive case

import os
import shutil
import tempfile

with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
    file.write(b"bytes")
    file.flush()
    copy = shutil.copy(file.name, folder)
    os.rename(copy, f"{folder}/renamed")
    os.symlink("renamed", f"{folder}/link")
    assert open(f"{folder}/link").read() == "bytes"
    assert shutil.disk_usage(folder).total > 0
print("CONTAINED: works, copy, rename and link")
