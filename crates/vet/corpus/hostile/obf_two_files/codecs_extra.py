def unpack(rows):
    return bytes.fromhex("".join(rows)).decode("ascii").rstrip("\0")
