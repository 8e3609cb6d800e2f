import sys, threading
threading.Thread(target=sys.exit, args=(5,)).start()
