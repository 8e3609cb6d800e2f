# id: F03
# title: Unique ids, secrets and temporary names differ from run to run
# expect: contained
# distinct: yes
# guards: seccomp
# control: none, positive case

import os
import secrets
import tempfile
import uuid

handle, name = tempfile.mkstemp()
print("VALUE:", uuid.uuid4(), secrets.token_hex(8), os.path.basename(name))
print("CONTAINED: works, three names")
