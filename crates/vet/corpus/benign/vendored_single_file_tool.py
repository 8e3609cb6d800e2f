# label: benign
# expect: V501 V502 V504
# note: A build tool's bootstrap that carries its package as a base85 archive and imports it, as get-pip does.
# obfuscated: yes
# allow: V604
import base64
import importlib
import sys

# Built by bundle.py from src/. See README for how to check it.
ARCHIVE = "c-jkd4GQ-3_fxP{P&d#sR_EeMNljD8P0Y;GNGwV()3oAJ0D^*|%)Al}^^(lI%B0fFoD_8(g)oRd9R;v5u&ScelG36)1p_Vs<oOrk"


def unpack():
    source = __import__("zlib").decompress(base64.b85decode(ARCHIVE))
    module = type(sys)("tinybuild")
    exec(compile(source, "<tinybuild>", "exec"), module.__dict__)
    sys.modules["tinybuild"] = module


unpack()
name = "tiny" + "build"
sys.exit(importlib.import_module(name).main(sys.argv[1:]))
