# label: benign
# expect: V604
# note: A test replaces builtins.open for the length of one test and puts it back.
import builtins
import io

import config_reader


def test_a_missing_file_gives_defaults():
    real = builtins.open

    def broken(path, *a, **k):
        raise FileNotFoundError(path)

    builtins.open = broken
    try:
        assert config_reader.read("x.toml") == config_reader.DEFAULTS
    finally:
        builtins.open = real


def test_values_are_read(monkeypatch):
    monkeypatch.setattr(config_reader, "opener", lambda p: io.StringIO("a = 1\n"))
    assert config_reader.read("x.toml")["a"] == 1
