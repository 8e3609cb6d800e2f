# label: benign
# expect: V901 V903
# note: A forgotten debug print in a polling loop, which floods the log until somebody looks.
import queue

inbox = queue.Queue()


def poll():
    while True:
        print("DEBUG polling inbox", inbox.qsize())
        try:
            item = inbox.get_nowait()
        except queue.Empty:
            continue
        print("DEBUG got", item)


poll()
