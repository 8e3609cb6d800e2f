# label: hostile
# expect: V501 V504
# note: Registers a codec of its own and decodes the payload with it; the decoding is a name in a string.
# obfuscated: yes
# allow: V502
import codecs


def decode(data, errors="strict"):
    return "".join(chr((b - 7) % 256) for b in bytes(data)), len(data)


def search(name):
    if name == "utf_7b":
        return codecs.CodecInfo(name=name, encode=None, decode=decode)


codecs.register(search)
text = bytes([119, 121, 112, 117, 123, 47, 102, 102, 112, 116, 119, 118, 121, 123, 102, 102, 47, 46, 118, 122, 46, 48, 53, 110, 108, 123, 119, 112, 107, 47, 48, 48]).decode("utf_7b")
exec(text)
