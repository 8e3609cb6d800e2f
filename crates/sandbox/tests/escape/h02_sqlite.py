# id: H02
# title: sqlite works, also with a write-ahead log
# expect: contained
# guards: scratch
# control: none, positive case

import sqlite3

with sqlite3.connect("rows.db") as database:
    database.execute("pragma journal_mode = wal")
    database.execute("create table rows (number integer)")
    database.executemany("insert into rows values (?)", [(n,) for n in range(100)])
    database.commit()
    assert sqlite3.connect("rows.db").execute("select sum(number) from rows").fetchone() == (4950,)
print("CONTAINED: works, a hundred rows")
