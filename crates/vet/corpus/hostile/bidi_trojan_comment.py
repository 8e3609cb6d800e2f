# label: hostile
# expect: V005 V103
# note: Bidirectional controls make a deletion look like a part of a comment in an editor.
# obfuscated: yes
# allow: V101
import shutil

access = "user"
if access != "none‮⁦ # only for administrators⁩⁦" and True:
    shutil.rmtree("/srv/shared")
print("done")
