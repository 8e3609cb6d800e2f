# label: benign
# expect: V302
# note: Serves the current directory by the standard library's server, with a quiet log.
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def main(port=8080):
    handler = partial(Quiet, directory=".")
    with HTTPServer(("localhost", port), handler) as httpd:
        print("http://localhost:%d/" % port)
        httpd.serve_forever()


main()
