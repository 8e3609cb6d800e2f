# label: benign
# expect: V502 V503
# note: A project that imports every file of its plugin folder with pkgutil and importlib.
import importlib
import pkgutil

import plugins

tools = {}
for info in pkgutil.iter_modules(plugins.__path__):
    module = importlib.import_module(f"plugins.{info.name}")
    tools[info.name] = getattr(module, f"run_{info.name}")

for name in sorted(tools):
    print(name, tools[name]("a b c"))
