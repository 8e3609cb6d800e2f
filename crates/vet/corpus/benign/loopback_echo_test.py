# label: benign
# expect: V203 V301 V302
# note: A unit test that listens on loopback and talks to itself; listening, connecting and a thread are all really there.
# allow: V303
import socket
import threading
import unittest


def serve_once(listener):
    conn, _ = listener.accept()
    with conn:
        conn.sendall(conn.recv(1024)[::-1])


class EchoTest(unittest.TestCase):
    def setUp(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1)
        self.addCleanup(self.listener.close)
        self.thread = threading.Thread(target=serve_once, args=(self.listener,), daemon=True)
        self.thread.start()

    def test_the_answer_is_reversed(self):
        with socket.create_connection(self.listener.getsockname(), timeout=2) as c:
            c.sendall(b"gambeson")
            self.assertEqual(c.recv(1024), b"nosebmag")
        self.thread.join(2)


if __name__ == "__main__":
    unittest.main()
