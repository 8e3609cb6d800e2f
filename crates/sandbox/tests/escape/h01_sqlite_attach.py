# id: H01
# title: sqlite cannot open or copy a file of the host
# expect: contained
# guards: root landlock
# control: root => held landlock
# control: root landlock => escaped
# works: the bytes are read through a database's own file access

import json
import sqlite3
import sys

FACTS = json.loads(sys.argv[1])
# The canary is no database: that sqlite says so means that it read the file's first bytes.
try:
    sqlite3.connect(f"file:{FACTS['canary_path']}?mode=ro&immutable=1", uri=True).execute("select * from sqlite_master").fetchall()
    print("ESCAPED: sqlite read the canary")
except sqlite3.OperationalError as refusal:
    print(f"CONTAINED: {refusal}")
except sqlite3.DatabaseError as refusal:
    print(f"ESCAPED: sqlite read the canary, {refusal}")
