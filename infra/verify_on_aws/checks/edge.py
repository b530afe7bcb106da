"""Large uploads through CloudFront: S3 takes the bytes, viewer-response redirects the client, the registry commits."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..assumptions import CLOUDFRONT
from ..findings import Observation
from ..http_answer import Answer
from ..layer import Layer
from ..session import Session
from . import check, hidden


@dataclass
class EdgePush:
    """One push of a layer which is too large for the function."""

    layer: Layer
    missing: Answer  # HEAD before it
    sent: Answer  # S3's response to PUT, as the client sees it
    commit: list = field(default_factory=list)
    present: "Answer | None" = None  # HEAD after it


def pushed(session: Session) -> EdgePush:
    """The session's, made at the first call."""
    if session.edge is None:
        layer = Layer(session.limits.size)
        push = EdgePush(layer, session.registry.blob(layer.digest), session.registry.put(layer))
        push.commit = session.registry.commit(push.sent)
        push.present = session.registry.blob(layer.digest)
        session.edge = push
    return session.edge


@check(
    "edge-put",
    "Does viewer-response change the status of S3's response to 303?",
    (CLOUDFRONT,),
    assumption="viewer-response-runs",
)
def edge_put(session: Session) -> Observation:
    answer = pushed(session).sent
    detail = f"PUT of {session.limits.size} bytes: {answer.says()}"
    if answer.status == 303:
        return Observation("yes", detail)
    if answer.status == 200:
        return Observation("no", f"{detail}, as S3 answered", ok=False)
    return Observation("error", detail, "Layers above 4 MiB cannot be pushed through CloudFront.", ok=False)


@check("edge-sees", fronts=(CLOUDFRONT,), assumption="viewer-response-sees")
def edge_sees(session: Session) -> Observation:
    answer = pushed(session).sent
    if answer.status != 303:
        return hidden(f"viewer-response did not run: {answer.status}")
    saw = answer.header("x-berth-saw")
    value = {"viewer": "original", "origin": "rewritten"}.get(saw)
    return Observation(value, f"x-berth-saw: {saw}") if value else hidden("the function does not tell (no x-berth-saw)")


@check("edge-commit", "Does the commit succeed, and how long does it take?", (CLOUDFRONT,))
def edge_commit(session: Session) -> Observation:
    push = pushed(session)
    if not push.commit:
        return hidden(f"there was no redirect to it: {push.sent.status}")
    last, waits = push.commit[-1], ", ".join(f"{answer.seconds:.1f}" for answer in push.commit)
    detail = f"{last.status} after {len(push.commit)} requests of {waits} s"
    if last.status == 201:
        return Observation("yes", detail, "No change.")
    return Observation(
        "no", f"{detail}: {last.text()}", "Layers above 4 MiB cannot be pushed through CloudFront.", ok=False
    )


@check("remembered-404", "Does CloudFront remember a 404, in spite of ErrorCachingMinTTL 0?", (CLOUDFRONT,))
def remembered(session: Session) -> Observation:
    push = pushed(session)
    if not push.commit or push.commit[-1].status != 201:
        return hidden("nothing was pushed")
    detail = f"HEAD: {push.missing.status}, pushed, HEAD: {push.present.status}"
    if push.missing.status == 404 and push.present.status in (200, 307):
        return Observation("no", detail, "No change.")
    return Observation(
        "yes", detail, "Docker's classic store fails after a push; the cache policy must be changed.", ok=False
    )


@check("edge-wrong-content", fronts=(CLOUDFRONT,), assumption="content-sha256")
def wrong_content(session: Session) -> Observation:
    claimed = Layer(session.limits.size)
    other = Layer(session.limits.size)
    answer = session.registry.put(other, claimed.digest)
    detail = f"PUT of other content: {answer.says()}"
    if answer.status == 400 and b"XAmzContentSHA256Mismatch" in answer.body:
        value = "signed"
    elif answer.status in (200, 303):
        value = "ignored"
        commit = session.registry.commit(answer)
        if commit:
            detail += f"; its commit: {commit[-1].says()}"
            if commit[-1].status != 400:
                return Observation(
                    value, detail, "Wrong content was accepted: do not use this front end, and report it.", ok=False
                )
    elif answer.status == 403:
        return Observation("refused", detail, "S3 does not accept the header: the function must not set it.", ok=False)
    else:
        return Observation("error", detail, ok=False)
    stored = session.registry.blob(claimed.digest)
    return Observation(
        value, detail, "" if stored.status == 404 else "Wrong content is readable.", ok=stored.status == 404
    )


@check("s3-patch", "What does S3 answer to PATCH?", (CLOUDFRONT,))
def s3_patch(session: Session) -> Observation:
    target = session.target
    if not target.bucket:
        return hidden("the bucket is not known")
    if target.s3:
        host, path = urlsplit(target.s3).netloc, f"/{target.bucket}/verify"
    else:
        host, path = f"{target.bucket}.s3.{target.region}.amazonaws.com", "/verify"
    answer = session.registry.ask("PATCH", path, {"Content-Length": "0"}, host=host)
    return Observation(
        str(answer.status), answer.says().partition(" ")[2], "No change: the function never sends PATCH to S3."
    )
