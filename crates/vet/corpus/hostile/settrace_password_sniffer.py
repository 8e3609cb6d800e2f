# label: hostile
# expect: V602 V604
# note: A trace function that waits for a function called login and reads its arguments out of the frame.
import sys
import threading


def spy(frame, event, arg):
    if event == "call" and "login" in frame.f_code.co_name:
        with open("seen.txt", "a") as f:
            f.write(repr(frame.f_back.f_locals) + repr(frame.f_locals) + "\n")
    return None


sys.settrace(spy)
threading.settrace(spy)
