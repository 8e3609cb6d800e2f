# id: G05
# title: A program that ends itself by a signal is reported so
# expect: signalled 9
# guards: namespace.pid
# control: none, the case is about the reader of the outcome

import os
import signal

print("CONTAINED: about to end by SIGKILL", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
