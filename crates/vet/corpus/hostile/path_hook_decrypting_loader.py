# label: hostile
# expect: V501 V504 V604
# note: A path hook that loads modules from enciphered files; import becomes the executor.
# allow: V003
import sys
from importlib.machinery import FileFinder, SourceFileLoader


class Deciphering(SourceFileLoader):
    KEY = 0x5A

    def source_to_code(self, data, path, *, _optimize=-1):
        plain = bytes(b ^ self.KEY for b in data)
        return compile(plain, path, "exec", dont_inherit=True)


hook = FileFinder.path_hook((Deciphering, [".enc"]))
sys.path_hooks.insert(0, hook)
sys.path_importer_cache.clear()
import stage2
stage2.main()
