# label: hostile
# expect: V604
# note: Puts a finder in front of the import system that answers for a security module with an empty one.
import sys
import types
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec


class Hollow(MetaPathFinder, Loader):
    TARGETS = {"hmac", "secrets", "grader.checks"}

    def find_spec(self, fullname, path, target=None):
        if fullname in self.TARGETS:
            return ModuleSpec(fullname, self)

    def create_module(self, spec):
        m = types.ModuleType(spec.name)
        m.compare_digest = lambda a, b: True
        return m

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Hollow())
for name in Hollow.TARGETS:
    sys.modules.pop(name, None)
