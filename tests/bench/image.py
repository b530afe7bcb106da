"""What is pulled and pushed: one small image in every registry, and one large blob of noise."""

import functools
import hashlib
import http.client
import json
import os
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

from registries import Failed

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
REPOSITORY = "bench/image"
TAG = "latest"
BLOB_BYTES = 1_000_000
SMALL_LAYERS = 4


@dataclass(frozen=True)
class Urls:
    manifest: str  # by tag
    blob: str  # of BLOB_BYTES


@functools.cache
def contents() -> tuple[list[bytes], bytes]:
    """The blobs, the large one last, and the manifest: made once, so that every registry gets the same bytes."""
    layers = [os.urandom(1000) for _ in range(SMALL_LAYERS)] + [os.urandom(BLOB_BYTES)]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor(CONFIG_TYPE, config),
            "layers": [_descriptor(LAYER_TYPE, layer) for layer in layers],
        }
    ).encode()
    return [config, *layers], manifest


def push(host: str) -> Urls:
    """Pushes the image by the HTTP API and pulls it back, so that nothing wrong is measured."""
    blobs, manifest = contents()
    for blob in blobs:
        location = start_upload(host, REPOSITORY)
        request(host, "PUT", with_digest(location, digest(blob)), 201, blob, "application/octet-stream")
    paths = Urls(f"/v2/{REPOSITORY}/manifests/{TAG}", f"/v2/{REPOSITORY}/blobs/{digest(blobs[-1])}")
    request(host, "PUT", paths.manifest, 201, manifest, MANIFEST_TYPE)
    for path, expected in ((paths.manifest, manifest), (paths.blob, blobs[-1])):
        if request(host, "GET", path, 200)[0] != expected:
            raise Failed(f"GET http://{host}{path} returned other bytes than were pushed")
    return Urls(f"http://{host}{paths.manifest}", f"http://{host}{paths.blob}")


def start_upload(host: str, repository: str, authorization: str | None = None) -> str:
    """Returns the new session's path and query."""
    _, headers = request(host, "POST", f"/v2/{repository}/blobs/uploads/", 202, authorization=authorization)
    return path_of(headers["Location"])


def path_of(url: str) -> str:
    """The path and query of a URL."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def with_digest(location: str, of: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={of}"


def request(
    host: str,
    method: str,
    path: str,
    expected: int,
    body: bytes | None = None,
    body_type: str | None = None,
    authorization: str | None = None,
) -> tuple[bytes, http.client.HTTPMessage]:
    """One request on a connection of its own. Any other status than the expected one raises Failed."""
    connection = http.client.HTTPConnection(host, timeout=60)
    headers = {"Accept": MANIFEST_TYPE, "Content-Type": body_type, "Authorization": authorization}
    headers = {name: value for name, value in headers.items() if value}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
    except OSError as error:
        raise Failed(f"{method} http://{host}{path}: {error}") from None
    finally:
        connection.close()
    if answer.status != expected:
        raise Failed(f"{method} http://{host}{path}: {answer.status} instead of {expected}: {content[:300]!r}")
    return content, answer.headers


def fill_with_noise(file: IO[bytes], size: int) -> None:
    """Random bytes: nothing on the way can compress or share them."""
    while size:
        size -= file.write(os.urandom(min(size, 1 << 24)))
    file.flush()


def refresh(file: IO[bytes]) -> str:
    """Changes the first bytes and returns the digest: content that no registry has seen yet."""
    file.seek(0)
    file.write(os.urandom(32))
    file.flush()
    file.seek(0)
    return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, content: bytes) -> dict:
    return {"mediaType": media_type, "size": len(content), "digest": digest(content)}
