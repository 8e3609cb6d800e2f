"""What is said of an interpreter's memory was found in it, or nothing is said."""

import pathlib
import subprocess
import sys
import unittest

LAYOUT = pathlib.Path(__file__).parents[1] / "layout.py"


def answer(before=""):
    """The end of a run in which something else happened first, and what was said."""
    source = LAYOUT.read_text().replace('if __name__ == "__main__":', before + '\nif __name__ == "__main__":')
    return subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, text=True, timeout=60)


def places(text):
    """An answer without its samples, whose tables differ by where a thread happened to be."""
    return sorted(line for line in text.splitlines() if not line.startswith("sample"))


class Layout(unittest.TestCase):
    def test_the_same_is_found_at_every_address(self):
        first, second = answer(), answer()
        self.assertEqual(first.stderr, "")
        self.assertEqual(places(first.stdout), places(second.stdout))
        self.assertIn("frame.code", first.stdout)

    def test_samples_have_the_lines_of_their_functions(self):
        samples = [line.split("\t")[1] for line in answer().stdout.splitlines() if line.startswith("sample")]
        self.assertGreater(len(samples), 8)
        for sample in samples:
            _, line, first, table = sample.split()
            self.assertLessEqual(int(first), int(line))
            bytes.fromhex(table)

    def refused(self, before, why):
        """There is no answer, but a reason."""
        done = answer(before)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(why, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_without_ctypes_there_is_a_reason(self):
        self.refused("sys.modules['ctypes'] = None", "it has no ctypes")

    def test_memory_that_cannot_be_read_gives_no_layout(self):
        self.refused("Memory.read = lambda self, address, size: b''", "was not found")

    def test_what_reads_otherwise_than_the_interpreter_says_gives_no_layout(self):
        # As a layout would that fits by chance: every place is found, and one text is another.
        self.refused(
            "found = Search.text\nSearch.text = lambda self, address: found(self, address).replace('park', 'dark')",
            "a stack reads otherwise than it is",
        )

    def test_another_implementation_is_refused(self):
        self.refused("sys.implementation.name = 'pypy'", "no CPython")


if __name__ == "__main__":
    unittest.main()
