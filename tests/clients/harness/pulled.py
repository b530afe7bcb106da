"""Checks of what a client brought back."""

from collections.abc import Callable
from pathlib import Path

from .content import blob_path, sha256
from .failure import equal, require


def layout_holds(layout: Path, digests) -> None:
    """The OCI image layout holds each of the digests, and its bytes hash to it."""
    def read(digest: str) -> bytes:
        path = blob_path(layout, digest)
        require(path.is_file(), f"{digest} is not in {layout}")
        return path.read_bytes()

    store_holds(read, digests)


def store_holds(read: Callable[[str], bytes], digests) -> None:
    for digest in sorted(digests):
        equal("digest of the bytes pulled", sha256(read(digest)), digest)
