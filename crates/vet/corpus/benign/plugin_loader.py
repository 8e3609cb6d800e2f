# label: benign
# expect: V502
# note: Loads an application's own plugins by name from a settings list; the name is computed, the intent is plain.
import importlib
import logging

log = logging.getLogger(__name__)

ENABLED = ["csv_export", "html_export", "statistics"]


class Registry:
    def __init__(self):
        self._plugins = {}

    def add(self, name, factory):
        if name in self._plugins:
            raise ValueError(f"two plugins are called {name!r}")
        self._plugins[name] = factory

    def load(self, package, names=ENABLED):
        for name in names:
            try:
                module = importlib.import_module(f"{package}.{name}")
            except ModuleNotFoundError:
                log.warning("plugin %s is not installed", name)
                continue
            self.add(name, module.create)

    def __iter__(self):
        return iter(self._plugins.values())


registry = Registry()
registry.load("reports.plugins")
