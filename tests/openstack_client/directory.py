"""Stands before a service and answers what the client asks Keystone: every project and every user is
there, and its name is its id. All else goes to the service. Run as a process: the tests fork, which a
thread would not survive.

    python directory.py HOST:PORT    prints its own port"""

import http.client
import http.server
import json
import re
import subprocess
import sys

NAMED = re.compile(r"/(project|user)s/([^/?]+)$")
# They are about one connection.
NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Directory:
    """Use it in a `with`. `endpoint` is the service's, by way of here."""

    def __init__(self, service):
        self.process = subprocess.Popen(
            [sys.executable, __file__, service.address], stdout=subprocess.PIPE, text=True
        )
        self.endpoint = f"http://127.0.0.1:{self.process.stdout.readline().strip()}/v2"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service = None

    def answer(self):
        named = NAMED.search(self.path)
        if named:
            kind, name = named.groups()
            body = {kind: {"id": name, "name": name, "domain_id": "default", "enabled": True}}
            self.send(200, {"Content-Type": "application/json"}, json.dumps(body).encode())
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in NOT_FORWARDED}
        connection = http.client.HTTPConnection(self.service, timeout=60)
        try:
            connection.request(self.command, self.path, body, {**headers, "Host": self.service})
            answer = connection.getresponse()
            self.send(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def send(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in NOT_FORWARDED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Handler.service = sys.argv[1]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
