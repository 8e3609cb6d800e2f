# label: benign
# expect:
# note: Reads a configuration by ast.literal_eval, which runs nothing; only the name resembles eval.
import ast
import sys

DEFAULTS = {"size": 10, "names": ["x", "y"], "scale": 1.5}


def read_config(path):
    cfg = dict(DEFAULTS)
    with open(path) as fh:
        for raw in fh:
            line = raw.split("#", 1)[0].strip()
            if not line:
                continue
            key, _, value = line.partition("=")
            try:
                cfg[key.strip()] = ast.literal_eval(value.strip())
            except (ValueError, SyntaxError):
                sys.exit(f"cannot read {key.strip()}: {value.strip()}")
    return cfg


print(read_config(sys.argv[1] if len(sys.argv) > 1 else "settings.conf"))
