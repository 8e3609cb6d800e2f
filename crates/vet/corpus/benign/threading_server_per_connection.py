# label: benign
# expect: V203 V204 V302 V901
# note: A server that starts a thread for each connection in a loop without bound; common teaching code, unbounded in fact.
import socket
import threading


def talk(conn, addr):
    with conn:
        while data := conn.recv(1024):
            conn.sendall(data.upper())
    print("bye", addr)


with socket.create_server(("", 7777)) as srv:
    while True:
        conn, addr = srv.accept()
        threading.Thread(target=talk, args=(conn, addr), daemon=True).start()
