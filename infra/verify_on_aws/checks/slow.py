"""A client which sends slowly: do the front ends' timers run while it does?"""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

from ..assumptions import CLOUDFRONT
from ..findings import Observation
from ..layer import Layer
from ..registry import BUSY_RETRIES
from ..session import Session
from . import check, hidden

PIECES = 50


def slowly(layer: Layer, seconds: float):
    """The layer's bytes, spread evenly over `seconds`."""
    content = b"".join(layer.blocks())
    size = -(-len(content) // PIECES)
    for start in range(0, len(content), size):
        time.sleep(seconds / PIECES)
        yield content[start : start + size]


def put(session: Session, size: int) -> str:
    """Status and seconds of a closing PUT, with its commit."""
    layer = Layer(size)
    place = session.registry.open()
    began = time.monotonic()
    headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
    try:
        answer = session.registry.ask(
            "PUT",
            f"{place}&digest={layer.digest}",
            headers,
            lambda: slowly(layer, session.limits.slow_seconds),
            retries=BUSY_RETRIES if session.limits.slow_seconds < 10 else 0,  # the refusal may be the answer
        )
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__} after {time.monotonic() - began:.0f} s"
    sent = time.monotonic() - began
    commit = session.registry.commit(answer)
    status = commit[-1].status if commit else answer.status
    return f"{status} after {sent:.0f} s"


@check("slow-sender", "Is a body accepted which takes longer to send than the origin's timeout?", slow=True)
def slow_sender(session: Session) -> Observation:
    if not session.limits.slow_seconds:
        return hidden("--slow 0")
    sizes = {"through the registry": 1_000_000}
    if session.front == CLOUDFRONT:
        sizes["to S3"] = session.limits.size
    with ThreadPoolExecutor(len(sizes)) as pool:
        seen = dict(zip(sizes, pool.map(lambda size: put(session, size), sizes.values())))
    ok = all(said.startswith("201") for said in seen.values())
    detail = ", ".join(f"{way}: {said}" for way, said in seen.items())
    if ok:
        return Observation("yes", detail, "No change: timers do not run while a client sends.")
    return Observation(
        "no", detail, "Slow connections cannot push large layers this way: `berth push` sends parts, straight to S3."
    )
