# id: H01
# title: Modules that read files on behalf of others do not read the canary
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped

import fileinput
import json
import linecache
import netrc
import sys

FACTS = json.loads(sys.argv[1])
text = FACTS["canary_text"]
path = FACTS["canary_path"]
read = []
if "".join(linecache.getlines(path)).strip() == text.strip():
    read.append("linecache")
try:
    if "".join(fileinput.input(path)).strip() == text.strip():
        read.append("fileinput")
except OSError:
    pass
try:
    netrc.netrc(path)
    read.append("netrc")
except netrc.NetrcParseError:
    read.append("netrc")
except OSError:
    pass
print(f"ESCAPED: read by {read}" if read else "CONTAINED: neither linecache nor fileinput nor netrc could read it")
