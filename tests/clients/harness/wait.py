"""Waiting for a fact, never for a time."""

import time
from collections.abc import Callable

from .failure import Failure

POLL_SECONDS = 0.02


def until(fact: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise Failure(f"after {seconds:g} s still not so: {what}")
        time.sleep(POLL_SECONDS)
