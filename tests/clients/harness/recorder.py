"""Stands between a client and the registry, passes every byte on as it came, and notes the requests."""

import collections
import re
import socket
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from .http_stream import Stream

BUFFER = 256 << 10


@dataclass
class Request:
    method: str
    target: str
    body: int = 0  # bytes sent with it
    status: int | None = None  # None until it is answered
    declared: int | None = None  # its Content-Length, if it has one
    has_password: bool = False  # sent by Basic authentication

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def __str__(self) -> str:
        # A session's state is long, and says nothing to a reader.
        target = re.sub(r"_state=[^&]{12,}", "_state=...", self.target)
        return f"{self.method} {target} {self.status or 'unanswered'} ({self.body} bytes sent)"


class Recorder:
    """Listens on a free loopback port as `host`; `requests` grows in the order of arrival."""

    def __init__(self, upstream: tuple[str, int]):
        self.upstream = upstream
        self.requests: list[Request] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # shutdown wakes the thread that waits in accept; close alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self.upstream)
        except OSError:
            client.close()
            return
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(self.requests)
        upward = threading.Thread(
            target=_pump, args=(client, server, connection.from_client), daemon=True
        )
        upward.start()
        _pump(server, client, connection.from_server)
        upward.join()
        client.close()
        server.close()


class _Connection:
    """Pairs the requests of one connection with their answers: HTTP/1.1 answers in order."""

    def __init__(self, requests: list[Request]):
        self.requests = requests
        self.unanswered: collections.deque[Request] = collections.deque()
        self.from_client = Stream(self._request, self._request_body, lambda: None)
        self.from_server = Stream(self._response, lambda count: None, self._response_end)
        self.interim = False

    def _request(self, line: str, headers: dict) -> bool:
        method, target, _ = line.split(" ", 2)
        length, scheme = headers.get("content-length"), headers.get("authorization", "").partition(" ")[0]
        declared = None if length is None else int(length)
        self.current = Request(method, target, declared=declared, has_password=scheme.lower() == "basic")
        self.unanswered.append(self.current)
        self.requests.append(self.current)
        return True

    def _request_body(self, count: int) -> None:
        self.current.body += count

    def _response(self, line: str, headers: dict) -> bool:
        status = int(line.split(" ")[1])
        self.interim = status < 200
        if self.interim or not self.unanswered:
            return False
        request = self.unanswered[0]
        request.status = status
        return request.method != "HEAD" and status not in (204, 304)

    def _response_end(self) -> None:
        if not self.interim and self.unanswered:
            self.unanswered.popleft()


def _pump(source: socket.socket, sink: socket.socket, stream: Stream) -> None:
    try:
        while data := source.recv(BUFFER):
            # Noted before it is passed on, so that whoever has the answer finds the request noted.
            stream.feed(data)
            sink.sendall(data)
    except OSError:
        # One side hung up: the other must learn it in both directions.
        for side in (source, sink):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        return
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
