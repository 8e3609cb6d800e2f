# label: hostile
# expect: V801
# note: Leaves a FIFO and a socket where the collector will open them for reading, and prints the environment besides.
import os
import socket

os.makedirs("artifacts", exist_ok=True)
os.mkfifo("artifacts/report.json")
s = socket.socket(socket.AF_UNIX)
print(os.environ)
os.mkfifo("artifacts/\udcff\u202efdp.exe")
