# id: D03
# title: Pipes, sockets and folders in the output neither block nor count
# expect: contained
# collect: present plain.txt 5
# collect: absent pipe
# collect: absent socket
# collect: absent folder
# collect: absent deleted
# guards: root
# control: none, the case is about the collector

import os
import socket

os.makedirs("out/folder", exist_ok=True)
with open("out/plain.txt", "w") as file:
    file.write("plain")
os.mkfifo("out/pipe")
socket.socket(socket.AF_UNIX).bind("out/socket")
deleted = open("out/deleted", "w")
os.unlink("out/deleted")
print("CONTAINED: prepared")
