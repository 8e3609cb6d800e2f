import ssl, sqlite3, hashlib, zlib, lzma, bz2, decimal, json, select
print(ssl.OPENSSL_VERSION, ssl.RAND_status(), hashlib.sha256(b"x").hexdigest(), sorted(hashlib.algorithms_available))
db = sqlite3.connect(":memory:")
print(db.execute("select sqlite_version(), 1 + 1").fetchall())
print(decimal.getcontext(), zlib.crc32(b"x"), json.dumps({"a": [1, None]}))
