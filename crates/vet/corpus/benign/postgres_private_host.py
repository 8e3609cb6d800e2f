# label: benign
# expect: V003 V303
# note: Queries a database on a private address by a driver that is not installed.
# allow: V301
import psycopg2

conn = psycopg2.connect(host="10.1.2.3", port=5432, dbname="sales", user="report", connect_timeout=5)
with conn, conn.cursor() as cur:
    cur.execute("select region, sum(amount) from orders group by 1 order by 2 desc")
    for region, amount in cur:
        print(f"{region:20} {amount:12,.2f}")
