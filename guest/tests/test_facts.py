"""What the interpreter says of itself is what a cell is built from."""

import os
import pathlib
import subprocess
import sys
import unittest

FACTS = pathlib.Path(__file__).parents[1] / "facts.py"


def facts():
    """The facts of this interpreter, as lists by key."""
    output = subprocess.run([sys.executable, "-I", FACTS], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in output.splitlines():
        key, value = line.split("\t")
        found.setdefault(key, []).append(value)
    return found


class Facts(unittest.TestCase):
    def test_the_standard_library_and_the_c_library_are_among_the_places(self):
        found = facts()
        self.assertIn(os.path.dirname(os.__file__), found["path"])
        self.assertTrue(any(os.path.exists(os.path.join(place, "libc.so.6")) for place in found["library"]))

    def test_the_loader_is_the_one_that_the_kernel_would_start(self):
        (loader,) = facts()["loader"]
        self.assertTrue(os.path.exists(loader), loader)
        self.assertIn("ld", os.path.basename(loader))

    def test_every_fact_is_one_line_and_the_executable_is_absolute(self):
        (executable,) = facts()["executable"]
        self.assertTrue(os.path.isabs(executable))


if __name__ == "__main__":
    unittest.main()
