import threading
def boom(): raise ValueError("in a thread")
thread = threading.Thread(target=boom, name="worker")
thread.start(); thread.join()
def f(): raise SystemExit(3)
thread = threading.Thread(target=f); thread.start(); thread.join()
print("on")
