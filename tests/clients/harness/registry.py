"""The registry as its own API tells it, apart from any client."""

import gzip
import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from .content import sha256
from .failure import Failure, equal
from .login import ANSWER_SECONDS, Login

MANIFEST_TYPES = ", ".join((
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
))


@dataclass(frozen=True)
class Manifest:
    digest: str
    media_type: str
    body: bytes

    @property
    def document(self) -> dict:
        return json.loads(self.body)

    @property
    def config(self) -> dict:
        return self.document["config"]

    @property
    def layers(self) -> list[dict]:
        return self.document["layers"]


class Registry:
    """Every digest that it returns was computed here from the bytes served."""

    def __init__(self, host: str, log: Callable[[], str] = lambda: "", login: tuple[str, str] | None = None):
        """`log` returns what the registry said lately, if it was started here; `login` are a name and a password."""
        self.host, self.log = host, log
        name, port = host.rsplit(":", 1)
        self.address = (name, int(port))
        # No proxy of the environment: the registry is on loopback.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.login = Login(self.opener, host, *login) if login else None

    def request(self, path: str, method: str = "GET") -> urllib.request.Request:
        request = urllib.request.Request(
            f"http://{self.host}{path}", method=method, headers={"Accept": MANIFEST_TYPES}
        )
        authorization = self.login and self.login.authorization(path)
        if authorization:
            # Not for where a redirect leads: S3 refuses a request that is authenticated in two ways.
            request.add_unredirected_header("Authorization", authorization)
        return request

    def open(self, path: str, method: str = "GET"):
        return self.opener.open(self.request(path, method), timeout=ANSWER_SECONDS)

    def status(self, path: str, method: str = "GET") -> int:
        try:
            with self.open(path, method) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def answers(self) -> bool:
        try:
            return self.status("/v2/") == 200
        except OSError:
            return False

    def json(self, path: str) -> dict:
        return json.loads(self._read(path)[0])

    def _read(self, path: str):
        try:
            with self.open(path) as answer:
                return answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            said = error.read(500).decode(errors="replace").strip()
            raise Failure(f"GET {path}: {error.code} {said}") from None
        except OSError as error:
            raise Failure(f"GET {path}: {error}") from None

    def manifest(self, repository: str, reference: str) -> Manifest:
        path = f"/v2/{repository}/manifests/{reference}"
        body, headers = self._read(path)
        manifest = Manifest(sha256(body), headers["Content-Type"], body)
        equal(f"Docker-Content-Digest of {path}", headers["Docker-Content-Digest"], manifest.digest)
        return manifest

    def blob(self, repository: str, digest: str) -> bytes:
        body, _ = self._read(f"/v2/{repository}/blobs/{digest}")
        equal(f"digest of the bytes of blob {digest} in {repository}", sha256(body), digest)
        return body

    def diff_id(self, repository: str, layer: dict) -> str:
        body = self.blob(repository, layer["digest"])
        equal(f"length of blob {layer['digest']}", len(body), layer["size"])
        tar = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        return "sha256:" + hashlib.sha256(tar).hexdigest()

    def tags(self, repository: str) -> list[str]:
        """A repository without tags has an empty list, or none: docker-registry tells the one from the other by an
        empty folder, which it leaves behind on a file system and cannot on S3."""
        try:
            return self.json(f"/v2/{repository}/tags/list")["tags"] or []
        except Failure as failure:
            if "NAME_UNKNOWN" in str(failure):
                return []
            raise

    def repositories(self) -> list[str]:
        return self.json("/v2/_catalog?n=1000")["repositories"]
