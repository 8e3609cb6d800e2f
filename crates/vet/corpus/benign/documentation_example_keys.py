# label: benign
# expect:
# note: Documentation's well-known example keys in a test of a masking function; published samples, disputed as secrets.
# allow: V802
import re
import unittest

EXAMPLE_ID = "AKIAIOSFODNN7EXAMPLE"
EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

ID = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")


def mask(text):
    return ID.sub(lambda m: m.group()[:4] + "*" * 16, text)


class Mask(unittest.TestCase):
    def test_ids_are_masked(self):
        self.assertNotIn(EXAMPLE_ID, mask(f"id={EXAMPLE_ID};"))

    def test_other_words_stay(self):
        self.assertEqual(mask("AKIA is short"), "AKIA is short")


unittest.main()
