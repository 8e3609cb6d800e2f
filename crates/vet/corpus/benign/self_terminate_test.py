# label: benign
# expect: V202 V203
# note: A test that a handler runs when the process signals itself and that a thread can be signalled.
import os
import signal
import threading
import time
import unittest


class Signals(unittest.TestCase):
    def setUp(self):
        self.got = []
        signal.signal(signal.SIGUSR1, lambda s, f: self.got.append(s))

    def test_kill_self(self):
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.01)
        self.assertEqual(self.got, [signal.SIGUSR1])

    def test_thread(self):
        main = threading.main_thread().ident
        t = threading.Thread(target=signal.pthread_kill, args=(main, signal.SIGUSR1))
        t.start()
        t.join()
        self.assertTrue(self.got)


unittest.main()
