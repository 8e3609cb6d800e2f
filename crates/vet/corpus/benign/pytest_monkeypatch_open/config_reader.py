import builtins

DEFAULTS = {"a": 0, "b": "x"}


def opener(path):
    return builtins.open(path)


def read(path):
    values = dict(DEFAULTS)
    try:
        with opener(path) as f:
            for line in f:
                key, _, value = line.partition("=")
                values[key.strip()] = int(value)
    except FileNotFoundError:
        pass
    return values
