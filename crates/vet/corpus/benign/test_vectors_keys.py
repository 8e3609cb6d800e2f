# label: benign
# expect: V802
# note: Test vectors with a private key and a token that exist for tests only; to a reader of patterns they are secrets.
import hashlib
import hmac
import unittest

# Made for this test, never used anywhere.
PRIVATE_KEY = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIKm5v1y7vJ0kzq2mZ8sTjQ4eXo3cR9uWb6LhGfYdNpAaoAoGCCqGSM49
AwEHoUQDQgAE3kq0T7Vw9cJ1uYzXr5LmPsGdHbFnOeQi8tKaCvRlMxSjUyWfDgZh
BpNo2IqTkLrVsAeXcYdFhGjMwOuZt1Qb3w==
-----END EC PRIVATE KEY-----"""


def fingerprint(pem):
    body = "".join(l for l in pem.splitlines() if not l.startswith("-"))
    return hashlib.sha256(body.encode()).hexdigest()[:16]


class Fingerprint(unittest.TestCase):
    def test_it_is_stable(self):
        self.assertEqual(fingerprint(PRIVATE_KEY), fingerprint(PRIVATE_KEY + "\n"))

    def test_hmac(self):
        self.assertEqual(len(hmac.new(b"k", b"m", "sha1").hexdigest()), 40)
