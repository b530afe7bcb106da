"""A registry that gives everybody a token and then answers every request by 300, as Berth behind CloudFront does in place of 401
when a token has expired and nothing turns the 300 back."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator

from .registry import Registry

REFUSAL = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A status line also for what is no request: by it Docker 29, which tries TLS first, knows HTTP.
    default_request_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.partition("?")[0] == "/token":
            self.say(200, {"token": "expired", "access_token": "expired"})
        elif self.path == "/v2/":
            realm = f'Bearer realm="http://{self.headers["Host"]}/token",service="stub"'
            self.say(401, REFUSAL, {"WWW-Authenticate": realm})
        else:
            self.say(300, REFUSAL, {"x-berth-status": "401", "Cache-Control": "no-store"})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def say(self, status: int, document: dict, headers: dict[str, str] = {}) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        fixed = {"Content-Type": "application/json", "Content-Length": len(body)}
        for name, value in {**fixed, "Docker-Distribution-API-Version": "registry/2.0", **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_) -> None:
        """What a client sends is recorded elsewhere."""


@contextlib.contextmanager
def stub_registry() -> Iterator[Registry]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Registry("127.0.0.1:%d" % server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
