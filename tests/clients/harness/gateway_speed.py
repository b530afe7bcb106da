"""How fast the gateway sends a layer to S3, beside one presigned PUT by curl."""

import hashlib
import http.client
import json
import re
import statistics
import subprocess
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from .content import MIB
from .failure import equal, require
from .gateway import Gateway
from .large import rate
from .local_stack import LocalStack
from .login import token_of

# Pairs, one after the other so that other work of the machine meets both; the median of their shares counts. After the first
# it is enough once the share is there.
TRIES, MOST_TRIES = 3, 8
SHARE = 0.8
REPOSITORY = "speed/image"
CURL = "/usr/bin/curl"


class Speed:
    def __init__(self, folder: Path, stack: LocalStack, gateway: Gateway, size: int):
        self.stack, self.gateway, self.size = stack, gateway, size
        self.file = folder / "layer"
        with self.file.open("wb") as file:
            piece = hashlib.shake_128(b"layer").digest(MIB)
            for _ in range(size // MIB):
                file.write(piece)
        self.number = 0

    def measure(self) -> str:
        """In turns, each with content that the registry does not have."""
        gateway, curl = [], []
        for tried in range(MOST_TRIES):
            if tried >= TRIES and share(curl, gateway) >= SHARE:
                break
            curl.append(self.by_curl(self.another()))
            gateway.append(self.by_gateway(self.another()))
        said = f"{rate(self.size, min(gateway))} by the gateway, {rate(self.size, min(curl))} by curl, the best of {len(curl)}"
        said += f", the median of their shares {share(curl, gateway):.0%}"
        require(share(curl, gateway) >= SHARE, said)
        return said

    def another(self) -> str:
        """Changes the layer; its digest."""
        self.number += 1
        with self.file.open("r+b") as file:
            file.write(self.number.to_bytes(8, "big"))
        with self.file.open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()

    def by_curl(self, digest: str) -> float:
        """Seconds of one PUT to S3 of whatever the registry signs."""
        path, registry = f"/v2/{REPOSITORY}/blobs/uploads/", self.stack.registry()
        headers = {"Berth-Blob-Digest": digest, "Berth-Blob-Size": str(self.size)}
        refused, _ = ask(self.stack.host, "POST", path, headers)
        # The challenge names all that an announcement's token is best good for.
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', refused.headers["WWW-Authenticate"]))
        query = urlencode([("service", wanted["service"]), *(("scope", scope) for scope in wanted["scope"].split())])
        token = token_of(registry.opener, f"{wanted['realm']}?{query}", registry.login.basic)
        answer, body = ask(self.stack.host, "POST", path, headers | {"Authorization": f"Bearer {token}"})
        equal("status of the announcement", answer.status, 202)
        put = json.loads(body)["put"]
        named = [word for name, value in put["headers"].items() for word in ("-H", f"{name}: {value}")]
        argv = [CURL, "-sS", "--fail", "--noproxy", "*", "-H", "Expect:", *named, "-T", self.file, "-o", "/dev/null",
                "-w", "%{http_code} %{time_total}", put["url"]]
        told = subprocess.run(argv, capture_output=True, text=True)
        require(told.returncode == 0, f"curl: {told.stdout} {told.stderr}")
        code, seconds = told.stdout.split()
        equal("status of S3", code, "200")
        return float(seconds)

    def by_gateway(self, digest: str) -> float:
        """Seconds that the gateway takes to have it in the registry, from its own file on: the announcement, the PUT to S3,
        and the close."""
        host = self.gateway.host
        answer, _ = ask(host, "POST", f"/v2/{REPOSITORY}/blobs/uploads/", {})
        equal("status of the session", answer.status, 202)
        with self.file.open("rb") as file:
            answer, _ = ask(host, "PATCH", target(answer), {}, iter(lambda: file.read(MIB), b""))
        equal("status of the content", answer.status, 202)
        answer, body = ask(host, "PUT", f"{target(answer)}&digest={digest}", {"Content-Length": "0"})
        equal("status of the close", (answer.status, body), (201, b""))
        return self.gateway.passed_on()[digest][1]


def share(curl: list[float], gateway: list[float]) -> float:
    return statistics.median(by_curl / by_gateway for by_curl, by_gateway in zip(curl, gateway))


def target(answer: http.client.HTTPResponse) -> str:
    there = urlsplit(answer.headers["Location"])
    return f"{there.path}?{there.query}"


def ask(host: str, method: str, path: str, headers: dict, body=None) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(host, timeout=600)
    try:
        connection.request(method, path, body=body, headers=headers, encode_chunked=True)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()
