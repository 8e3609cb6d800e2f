# label: benign
# expect:
# note: Tests of an HTTP client with a fake session handed in; requests is imported for its exception only and nothing connects.
import unittest
from unittest import mock

import requests


def latest(session, name):
    r = session.get(f"https://pkg.example.org/{name}/json")
    if r.status_code == 404:
        raise LookupError(name)
    return r.json()["version"]


class Latest(unittest.TestCase):
    def session(self, status, body):
        s = mock.Mock(spec=["get"])
        s.get.return_value = mock.Mock(status_code=status, **{"json.return_value": body})
        return s

    def test_version(self):
        self.assertEqual(latest(self.session(200, {"version": "1.2"}), "x"), "1.2")

    def test_missing(self):
        with self.assertRaises(LookupError):
            latest(self.session(404, {}), "x")

    def test_errors_pass(self):
        s = mock.Mock()
        s.get.side_effect = requests.ConnectionError
        with self.assertRaises(requests.ConnectionError):
            latest(s, "x")


unittest.main()
