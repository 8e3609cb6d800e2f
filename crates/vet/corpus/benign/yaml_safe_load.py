# label: benign
# expect:
# note: yaml.safe_load and yaml.load with SafeLoader build plain data only.
import sys
import yaml


class NoDuplicates(yaml.SafeLoader):
    pass


def load(path):
    with open(path) as f:
        return yaml.load(f, Loader=yaml.SafeLoader)


def load_all(path):
    with open(path) as f:
        return list(yaml.safe_load_all(f))


conf = load(sys.argv[1])
for section, values in conf.items():
    print(f"[{section}]")
    for k, v in (values or {}).items():
        print(f"{k} = {v!r}")
