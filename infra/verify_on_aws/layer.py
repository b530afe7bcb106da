"""Random content for layers, generated again from its seed, so that no size costs memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

BLOCK = 1 << 20


class Layer:
    def __init__(self, size: int):
        self.size, self.seed = size, os.urandom(32)
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        self.digest = f"sha256:{digest.hexdigest()}"

    def blocks(self) -> Iterator[bytes]:
        # Hashing each megabyte anew would be slow; a seeded one with a counter in front is unlike all others too.
        base = hashlib.shake_128(self.seed).digest(BLOCK)
        for number in range(0, self.size, BLOCK):
            block = number.to_bytes(8, "big") + base[8:]
            yield block[: self.size - number]
