# label: benign
# expect:
# note: cursor.execute, executemany and connect belong to sqlite3, on a file in the work directory.
import sqlite3

con = sqlite3.connect("shop.db")
cur = con.cursor()
cur.execute("create table if not exists item (name text primary key, price int)")
cur.executemany("insert or replace into item values (?, ?)", [("apple", 30), ("bread", 250), ("tea", 480)])
cur.executescript("create index if not exists by_price on item (price); analyze;")
con.commit()
for name, price in con.execute("select name, price from item where price > ? order by price", (100,)):
    print(f"{name:10} {price / 100:6.2f}")
con.close()
