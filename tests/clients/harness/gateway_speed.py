"""How fast the gateway sends a layer to S3, beside one presigned PUT by curl."""

import hashlib
import http.client
import os
from pathlib import Path
from urllib.parse import urlsplit

from .content import MIB
from .direct import curl, target
from .failure import equal, require
from .gateway import Gateway
from .large import rate
from .local_stack import LocalStack

# Of which the best counts: other work of the machine only slows. After the first it is enough once the share is there.
TRIES, MOST_TRIES = 3, 8
SHARE = 0.8
REPOSITORY = "speed/image"


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
        require(share(curl, gateway) >= SHARE, said)
        return f"{said}: {share(curl, gateway):.0%}"

    def another(self) -> str:
        """Changes the layer; its digest."""
        self.number += 1
        with self.file.open("r+b") as file:
            file.write(self.number.to_bytes(8, "big"))
        with self.file.open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()

    def by_curl(self, digest: str) -> float:
        """Seconds of one PUT to S3 of whatever the registry signs."""
        os.sync()
        return curl(target(self.stack.registry(), REPOSITORY, digest, self.size), self.file)

    def by_gateway(self, digest: str) -> float:
        """Seconds that the gateway takes to have it in the registry, from its own file on: the announcement, the PUT to S3,
        and the close. As before the PUT by curl, the disk has nothing else to write: S3's own is here the same one."""
        host = self.gateway.host
        answer, _ = ask(host, "POST", f"/v2/{REPOSITORY}/blobs/uploads/", {})
        equal("status of the session", answer.status, 202)
        with self.file.open("rb") as file:
            answer, _ = ask(host, "PATCH", path_of(answer), {}, iter(lambda: file.read(MIB), b""))
        equal("status of the content", answer.status, 202)
        os.sync()
        answer, body = ask(host, "PUT", f"{path_of(answer)}&digest={digest}", {"Content-Length": "0"})
        equal("status of the close", (answer.status, body), (201, b""))
        return self.gateway.passed_on()[digest][1]


def share(by_curl: list[float], by_berth: list[float]) -> float:
    """Of curl's speed, by the best of each."""
    return min(by_curl) / min(by_berth)


def path_of(answer: http.client.HTTPResponse) -> str:
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
