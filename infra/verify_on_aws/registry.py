"""The registry's HTTP API, as the checks call it: one connection for each request, every response kept as it came."""

from __future__ import annotations

import base64
import http.client
import json
import re
import threading
import time
from typing import Optional
from urllib.parse import urlencode, urlsplit

from .http_answer import Answer
from .layer import Layer

TIMEOUT_SECONDS = 330
BUSY, BUSY_RETRIES, BUSY_SECONDS = (429, 503), 40, 0.05
SMALL_LAYER = 8_000_000  # bytes
TOKEN_SECONDS = 120  # a token is good for 300


class CheckFailed(Exception):
    """A step which a check needs did not succeed; its message says which."""


def is_loopback(host: str) -> bool:
    return host.rpartition(":")[0] in ("127.0.0.1", "localhost") or host in ("127.0.0.1", "localhost")


class Registry:
    def __init__(self, host: str, user: str, password: str, repository: str = "verify/checks"):
        self.host, self.user, self.password, self.repository = host, user, password, repository
        self.token, self.since = "", 0.0
        self.renamed: dict[str, str] = {}  # header -> the first request whose response had it
        self.lock = threading.Lock()

    def connect(self, host: str = "", timeout: float = TIMEOUT_SECONDS) -> http.client.HTTPConnection:
        host = host or self.host
        kind = http.client.HTTPConnection if is_loopback(host) else http.client.HTTPSConnection
        return kind(host, timeout=timeout)

    def ask(
        self,
        method: str,
        target: str,
        headers: Optional[dict] = None,
        body=None,
        host: str = "",
        anonymous=False,
        retries: int = BUSY_RETRIES,
    ) -> Answer:
        """`body` is bytes, or a function that returns an iterator of them: without a Content-Length in `headers` they
        are sent in chunks. What AWS refuses because every instance is busy is sent again, as clients do. No `retries`
        for a large body, which costs money and time."""
        while True:
            answer = self.send(method, target, headers or {}, body, host, anonymous)
            if answer.status not in BUSY or answer.from_registry or not retries:
                return answer
            retries -= 1
            time.sleep(BUSY_SECONDS)

    def send(self, method: str, target: str, headers: dict, body, host: str, anonymous: bool) -> Answer:
        known = {} if host or anonymous else self.authorization()
        connection = self.connect(host)
        began = time.monotonic()
        content = body() if callable(body) else body
        chunked = callable(body) and "Content-Length" not in headers
        try:
            connection.request(method, target, body=content, headers={**known, **headers}, encode_chunked=chunked)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered before the body was read: the response may be there all the same
        answer = Answer(connection.getresponse(), method, time.monotonic() - began)
        connection.close()
        self.note(answer, f"{method} {target.partition('?')[0]}")
        return answer

    def authorization(self) -> dict:
        """The header with a token, renewed in time; none before the first login."""
        if self.token and time.monotonic() - self.since > TOKEN_SECONDS:
            self.log_in()
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def note(self, answer: Answer, request: str) -> None:
        with self.lock:
            for name in answer.renamed():
                self.renamed.setdefault(name, f"{request} ({answer.status})")

    def challenge(self) -> dict:
        """The fields of the challenge, by whichever header it comes."""
        answer = self.ask("GET", "/v2/", anonymous=True)
        names = ("www-authenticate", "x-berth-challenge", "x-amzn-remapped-www-authenticate")
        value = next((answer.header(name) for name in names if answer.header(name)), "")
        fields = dict(re.findall(r'(\w+)="([^"]*)"', value))
        if "realm" not in fields:
            raise CheckFailed(f"GET /v2/ has no challenge: {answer.says()}")
        return fields

    def token_for(self, scope: str, user: str = "", password: str = "") -> str:
        fields = self.challenge()
        query = urlencode({"service": fields.get("service", ""), "scope": scope})
        basic = base64.b64encode(f"{user or self.user}:{password or self.password}".encode()).decode()
        answer = self.ask(
            "GET", f"{urlsplit(fields['realm']).path}?{query}", {"Authorization": f"Basic {basic}"}, anonymous=True
        )
        if answer.status != 200:
            raise CheckFailed(f"no token: {answer.says()}")
        return json.loads(answer.body)["token"]

    def log_in(self) -> None:
        self.token = self.token_for(f"repository:{self.repository}:pull,push")
        self.since = time.monotonic()

    def open(self) -> str:
        """The path and query of a new upload."""
        answer = self.ask("POST", f"/v2/{self.repository}/blobs/uploads/", {"Content-Length": "0"})
        if answer.status != 202:
            raise CheckFailed(f"no upload could be opened: {answer.says()}")
        place = urlsplit(answer.header("location"))
        return f"{place.path}?{place.query}"

    def put(self, layer: Layer, digest: str = "") -> Answer:
        """A layer in one PUT with Content-Length, as current clients send it; `digest` claims another one."""
        place = self.open()
        length = {"Content-Length": str(layer.size), "Content-Type": "application/octet-stream"}
        retries = BUSY_RETRIES if layer.size <= SMALL_LAYER else 0
        return self.ask("PUT", f"{place}&digest={digest or layer.digest}", length, layer.blocks, retries=retries)

    def blob(self, digest: str) -> Answer:
        return self.ask("HEAD", f"/v2/{self.repository}/blobs/{digest}")

    def commit(self, answer: Answer) -> list[Answer]:
        """Follows the redirects of a closing PUT; the last response is the commit's."""
        answers: list[Answer] = []
        while answer.status == 303 and len(answers) < 10:
            place = urlsplit(answer.header("location"))
            answer = self.ask("GET", f"{place.path}?{place.query}")
            answers.append(answer)
        return answers
