# label: hostile
# expect: V204 V901
# note: Starts sleeping threads until the machine has no more of them.
# allow: V203
import threading, time

def idle():
    time.sleep(10**6)

n = 0
while True:
    try:
        threading.Thread(target=idle).start()
        n += 1
    except RuntimeError:
        print("threads:", n)
