# label: hostile
# expect: V201 V603
# note: Restores os from the collector's list after the harness deleted it from sys.modules.
import gc

mods = {m.__name__: m for m in gc.get_objects() if type(m).__name__ == "module"}
posix = mods.get("posix") or mods.get("os")
posix.system("echo found anyway")
