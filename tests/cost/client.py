"""A client that pushes and pulls as containerd and Docker 29 do, one request after another."""

import http.client
import json
import random
import re
from dataclasses import dataclass
from email.message import Message
from hashlib import sha256
from urllib.parse import urlsplit

from registries import Failed

MIB = 1 << 20
CHUNK = 4 * MIB
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Image:
    blobs: list[bytes]  # the layers and, last, the configuration
    manifest: bytes

    @classmethod
    def of(cls, seed: int, sizes: list[int]) -> "Image":
        """An image of noise: nothing in it is in that of another seed."""
        noise = random.Random(seed)
        layers = [noise.randbytes(size) for size in sizes]
        config = json.dumps({"architecture": "arm64", "os": "linux", "seed": seed}).encode()
        described = [
            {"mediaType": f"application/vnd.oci.image.{kind}", "size": len(blob), "digest": digest(blob)}
            for kind, blob in [("config.v1+json", config), *(("layer.v1.tar", layer) for layer in layers)]
        ]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described[0], "layers": described[1:]}
        return cls([*layers, config], json.dumps(manifest).encode())


class Client:
    def __init__(self, host: str, login: str):
        self.host, self.login, self.authorization = host, login, login
        self.out = 0  # bytes of the bodies that the registry answered with
        self.bodies: list[int] = []  # by request to the registry, bytes of both bodies
        self.between = lambda: None  # is called before each request to the registry

    def push(self, repository: str, tag: str, image: Image, chunk: int | None = None) -> None:
        """Sends each blob that is not there in one PUT, or in chunks of so many bytes."""
        self.challenge(repository, tag)
        for blob in image.blobs:
            if self.ask("HEAD", f"/v2/{repository}/blobs/{digest(blob)}", (200, 404))[0] == 200:
                continue
            _, location, _ = self.ask("POST", f"/v2/{repository}/blobs/uploads/", (202,))
            if chunk and len(blob) > chunk:
                for start in range(0, len(blob), chunk):
                    part = blob[start : start + chunk]
                    span = {"Content-Range": f"{start}-{start + len(part) - 1}"}
                    _, location, _ = self.ask("PATCH", location, (202,), part, span)
                blob, closing = b"", digest(blob)
            else:
                closing = digest(blob)
            self.ask("PUT", f"{location}{'&' if '?' in location else '?'}digest={closing}", (201,), blob)
        path = f"/v2/{repository}/manifests/{tag}"
        self.ask("HEAD", path, (404,))
        self.ask("PUT", path, (201,), image.manifest, {"Content-Type": MANIFEST_TYPE})

    def pull(self, repository: str, tag: str, image: Image) -> None:
        """Fetches everything, and compares."""
        self.challenge(repository, tag)
        self.ask("HEAD", f"/v2/{repository}/manifests/{tag}", (200,))
        paths = [f"manifests/{digest(image.manifest)}", *(f"blobs/{digest(blob)}" for blob in image.blobs)]
        for path, expected in zip(paths, [image.manifest, *image.blobs]):
            if self.ask("GET", f"/v2/{repository}/{path}", (200,))[2] != expected:
                raise Failed(f"{path} of {repository} came back as other bytes than were pushed")

    def challenge(self, repository: str, tag: str) -> None:
        """The first request, from which a client learns that it must log in; and its login, by a token where one is asked for."""
        self.authorization = ""
        self.ask("HEAD", f"/v2/{repository}/manifests/{tag}", (401,))
        self.authorization = self.login
        if self.challenged.startswith("Bearer "):
            said = dict(re.findall(r'(\w+)="([^"]*)"', self.challenged))
            path = f"/token?service={said['service']}&scope=repository:{repository}:pull,push"
            self.authorization = f"Bearer {json.loads(self.ask('GET', path, (200,))[2])['token']}"

    def ask(
        self, method: str, path: str, expected: tuple[int, ...], body: bytes | None = None, headers: dict = {}
    ) -> tuple[int, str, bytes]:
        """One request to the registry, and to S3 where it redirects. Returns the status, the location and the body."""
        self.between()
        sent = {"Accept": MANIFEST_TYPE, "Authorization": self.authorization}
        sent |= {"Content-Type": "application/octet-stream"} if body is not None else {}
        status, answered, content = self.exchange(method, path, body, sent | headers)
        if status == 303:
            # CloudFront sent the body to S3; the registry puts it in its place.
            status, answered, content = self.exchange("GET", relative(answered["Location"]), None, sent)
        # A function URL renames the first.
        self.challenged = answered.get("WWW-Authenticate") or answered.get("x-berth-challenge", "")
        location = answered.get("Location", "")
        if status == 307:
            url = urlsplit(location)
            status, answered, content = exchange(url.netloc, method, f"{url.path}?{url.query}", None, {})
        if status not in expected:
            raise Failed(f"{method} {path}: {status} instead of {expected}: {content[:300]!r}")
        return status, relative(location), content

    def exchange(self, method: str, path: str, body: bytes | None, headers: dict) -> tuple[int, Message, bytes]:
        """One request to the registry."""
        status, answered, content = exchange(self.host, method, path, body, headers)
        self.out += len(content)
        self.bodies.append(len(body or b"") + len(content))
        return status, answered, content


def exchange(host: str, method: str, path: str, body: bytes | None, headers: dict) -> tuple[int, Message, bytes]:
    connection = http.client.HTTPConnection(host, timeout=120)
    try:
        connection.request(method, path, body, {name: value for name, value in headers.items() if value})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except OSError as error:
        raise Failed(f"{method} http://{host}{path}: {error}") from None
    finally:
        connection.close()


def relative(location: str) -> str:
    """As redirects to S3 are followed above, what remains lies on the registry's host."""
    if not location or location.startswith("/"):
        return location
    url = urlsplit(location)
    return url.path + (f"?{url.query}" if url.query else "")


def digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"
