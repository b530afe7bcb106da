"""A small blob as ko and kaniko send it: one PATCH in chunked coding, without Content-Length."""

import hashlib
import http.client
import random
from urllib.parse import urlsplit

from .content import KIB
from .failure import equal
from .local_stack import LocalStack

SIZE = 64 * KIB
REPOSITORY = "patch/small"


def small_patch(stack: LocalStack) -> str:
    """Pushes one through the front end, and reads it back."""
    registry = stack.registry()
    body = random.Random(stack.host).randbytes(SIZE)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    opened = _ask(stack, registry, "POST", f"/v2/{REPOSITORY}/blobs/uploads/", 202)
    # An iterable has no length: http.client sends it in chunks.
    sent = _ask(stack, registry, "PATCH", opened["Location"], 202, iter([body[:1000], body[1000:]]))
    equal("Range of the PATCH", sent["Range"], f"0-{SIZE - 1}")
    location = sent["Location"]
    closed = _ask(stack, registry, "PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", 201, b"")
    equal("Docker-Content-Digest", closed["Docker-Content-Digest"], digest)
    equal("bytes that come back", len(registry.blob(REPOSITORY, digest)), SIZE)
    return f"{SIZE} bytes in chunks"


def _ask(stack: LocalStack, registry, method: str, location: str, status: int, body=None):
    """Headers of the answer, whose status is as expected."""
    place = urlsplit(location)
    headers = {"Authorization": registry.login.authorization(place.path), "Content-Type": "application/octet-stream"}
    if not isinstance(body, bytes | None):
        headers["Transfer-Encoding"] = "chunked"
    connection = http.client.HTTPConnection(stack.host, timeout=60)
    try:
        target = f"{place.path}?{place.query}" if place.query else place.path
        connection.request(method, target, body, headers, encode_chunked="Transfer-Encoding" in headers)
        answer = connection.getresponse()
        said = answer.read(500)
        equal(f"status of {method} {place.path} ({said!r})", answer.status, status)
        return answer.headers
    finally:
        connection.close()
