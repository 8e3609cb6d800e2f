# id: H02
# title: A web server and its client work in a private loopback
# expect: contained
# network: loopback
# limits: pids=64 memory=256M wall=20s
# guards: namespace.net
# control: none, positive case

import http.server
import threading
import urllib.request

class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
threading.Thread(target=server.serve_forever, daemon=True).start()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
assert opener.open(f"http://127.0.0.1:{server.server_port}/", timeout=5).read() == b"hello"
print("CONTAINED: works, one page")
