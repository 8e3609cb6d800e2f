import os, signal, time
print(signal.getsignal(signal.SIGINT), flush=True)
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt as error:
    print("caught", repr(error), flush=True)
def deep():
    signal.raise_signal(signal.SIGINT)
    time.sleep(5)
deep()
