"""Tries to reach this machine and the internet, and prints the error it gets."""

import socket

TIMEOUT_SECONDS = 3

for host in ("127.0.0.1", "example.org"):
    try:
        with socket.create_connection((host, 80), TIMEOUT_SECONDS):
            print(f"{host}: connected")
    except OSError as error:
        print(f"{host}: {type(error).__name__}: {error}")
