import threading, time, sys
print([(one.name, one.is_alive(), one.daemon) for one in threading.enumerate()], threading.active_count(), threading.main_thread() is threading.current_thread())
print(threading.get_native_id(), threading.main_thread().native_id, threading.current_thread().daemon)
def late(): time.sleep(0.1); print("late")
threading.Thread(target=late).start()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("main ends")
