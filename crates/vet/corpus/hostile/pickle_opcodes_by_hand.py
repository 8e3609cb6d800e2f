# label: hostile
# expect: V701
# note: Pickle opcodes written by hand as bytes, so that neither os nor system is an identifier anywhere.
# obfuscated: yes
import io
import pickle

PROTO = b"cposix\nsystem\n(S'echo from the pickle machine'\ntR."


class Quiet(pickle.Unpickler):
    def persistent_load(self, pid):
        return None


Quiet(io.BytesIO(PROTO)).load()
