# label: benign
# expect: V501 V604
# note: A teaching import hook that counts how often each line of imported lesson files exists, through sys.meta_path.
# allow: V502
import sys
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path


class CountingLoader(SourceLoader):
    sizes = {}

    def __init__(self, path):
        self.path = path

    def get_filename(self, fullname):
        return str(self.path)

    def get_data(self, path):
        return Path(path).read_bytes()

    def exec_module(self, module):
        source = self.get_data(self.path)
        self.sizes[module.__name__] = source.count(b"\n")
        exec(compile(source, str(self.path), "exec"), module.__dict__)


class LessonFinder(MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        p = Path("lessons") / (fullname + ".py")
        return ModuleSpec(fullname, CountingLoader(p)) if p.exists() else None


sys.meta_path.append(LessonFinder())
