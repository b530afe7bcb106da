"""Every header that AWS renamed in a response to any other check."""

from __future__ import annotations

from ..findings import Observation
from ..session import Session
from . import check


@check("renamed-headers", "Which response headers were renamed?")
def renamed(session: Session) -> Observation:
    seen = session.registry.renamed
    detail = ", ".join(f"{name}: {request}" for name, request in sorted(seen.items()))
    known = {"x-amzn-remapped-www-authenticate", "x-amzn-remapped-content-length", "x-amzn-remapped-range"}
    others = sorted(set(seen) - known)
    # Names which the servers behind every front end set, and no client of a registry reads.
    harmless = {
        "x-amzn-remapped-date",
        "x-amzn-remapped-connection",
        "x-amzn-remapped-server",
        "x-amzn-remapped-content-md5",
    }
    told = (
        f"Carry these as x-berth-*: {', '.join(others)}."
        if set(others) - harmless
        else "No change: each of them is carried, or not read."
    )
    return Observation("some" if seen else "none", detail, told)
