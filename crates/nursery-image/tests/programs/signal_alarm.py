import signal, time, threading
hits = []
signal.signal(signal.SIGALRM, lambda number, frame: hits.append((number, frame.f_code.co_name, threading.current_thread() is threading.main_thread())))
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.3)
print(hits)
signal.setitimer(signal.ITIMER_PROF, 0.01)
signal.signal(signal.SIGPROF, signal.SIG_DFL)
while True: pass
