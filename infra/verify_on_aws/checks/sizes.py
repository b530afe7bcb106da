"""Pushes of gigabytes in one request, as Docker's containerd image store, oras and helm send them."""

from __future__ import annotations

from ..assumptions import CLOUDFRONT
from ..findings import Observation
from ..layer import Layer
from ..session import Session
from . import check, hidden


@check("sizes", "Can layers of gigabytes be pushed in one request?", (CLOUDFRONT,), slow=True)
def sizes(session: Session) -> Observation:
    if not session.limits.sizes:
        return hidden("no --sizes")
    seen, ok = [], True
    for size in session.limits.sizes:
        session.registry.log_in()  # a token lasts minutes, an upload may take longer
        answer = session.registry.put(Layer(size))
        said = f"{size / 1e9:g} GB: {answer.status} in {answer.seconds:.0f} s"
        if answer.status == 303:
            session.registry.log_in()
            commit = session.registry.commit(answer)
            said += ", commit " + ", ".join(f"{each.status} in {each.seconds:.1f} s" for each in commit)
            ok = ok and commit[-1].status == 201
        else:
            said += f" ({answer.text(80)})"
            ok = False
        seen.append(said)
    told = "No change." if ok else "Set LargestLayer to the largest size that works; `berth push` sends parts."
    return Observation("yes" if ok else "no", "; ".join(seen), told, ok)
