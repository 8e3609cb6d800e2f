# label: benign
# expect: V502
# note: Loads installed plugins by entry points; importlib.metadata's load is an import by data.
from importlib.metadata import entry_points


def exporters():
    found = {}
    for ep in entry_points(group="acme.exporters"):
        try:
            found[ep.name] = ep.load()
        except ImportError as e:
            print(f"exporter {ep.name} could not be loaded: {e}")
    return found


for name, fn in sorted(exporters().items()):
    print(name, fn.__doc__)
