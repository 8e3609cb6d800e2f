# label: hostile
# expect: V401 V502
# note: Writes an extension module out of a string and imports it from the temporary directory; a stage for native code.
# allow: V504
import importlib.util
import pathlib

BLOB = pathlib.Path("data/model.bin").read_bytes()[512:]
so = pathlib.Path("/tmp/_fast.so")
so.write_bytes(BLOB)
so.chmod(0o755)

spec = importlib.util.spec_from_file_location("_fast", so)
mod = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mod)
mod.start()
