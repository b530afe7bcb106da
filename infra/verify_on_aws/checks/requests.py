"""How requests reach the function: sizes, coding, headers, paths."""

from __future__ import annotations

import http.client
import os
import time
from collections import Counter

from ..assumptions import CLOUDFRONT, HTTP_API
from ..findings import Observation
from ..http_answer import Answer
from ..registry import BUSY, BUSY_RETRIES, BUSY_SECONDS, Registry
from ..session import Session
from . import check, hidden

MIB = 1 << 20
# What CloudFront's function lets through to the registry with a declared length.
FORWARDED = 4 * MIB
NOWHERE = "sha256:" + "0" * 64  # a digest which no content has: nothing is stored


def said(answer: Answer) -> str:
    return answer.says().partition(" ")[2] or "no body"


def chunks(body: bytes, size: int = 1 << 16):
    for start in range(0, len(body), size):
        yield body[start : start + size]


def rejected_content(session: Session, body: bytes, content_type: str) -> Answer:
    """Sends a body whose digest is wrong, so that nothing is stored: 400 DIGEST_INVALID shows that the registry got it.
    CloudFront's function refuses declared lengths above 4 MiB, so it is sent without one there."""
    target = f"/v2/{session.registry.repository}/blobs/uploads/?digest={NOWHERE}"
    if session.front == CLOUDFRONT:
        return session.registry.ask("POST", target, {"Content-Type": content_type}, lambda: chunks(body))
    headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
    return session.registry.ask("POST", target, headers, body)


@check("two-authorizations", assumption="two-authorizations")
def two_authorizations(session: Session) -> Observation:
    for _ in range(BUSY_RETRIES):
        connection = session.registry.connect()
        connection.putrequest("GET", "/v2/")
        for token in (session.registry.token, "second"):
            connection.putheader("Authorization", f"Bearer {token}")
        connection.endheaders()
        answer = Answer(connection.getresponse(), "GET", 0)
        connection.close()
        if answer.status not in BUSY:
            break
        time.sleep(BUSY_SECONDS)
    return Observation("joined" if answer.from_registry else "refused", answer.says())


@check("trailing-slash", "Do paths with a trailing slash work?")
def trailing_slash(session: Session) -> Observation:
    with_slash = session.registry.ask("GET", "/v2/")
    upload = session.registry.ask("POST", f"/v2/{session.registry.repository}/blobs/uploads/", {"Content-Length": "0"})
    ok = with_slash.status == 200 and upload.status == 202
    detail = f"GET /v2/: {with_slash.status}, POST /v2/../blobs/uploads/: {upload.status}"
    return Observation("yes" if ok else "no", detail, "No change." if ok else "No client can push.", ok)


@check("chunked", assumption="chunked-requests")
def chunked(session: Session) -> Observation:
    answer = session.registry.ask("PATCH", session.registry.open(), {}, lambda: iter([b"x" * 1000]))
    # A function URL may rename Range: that is another row.
    if answer.status == 202:
        return Observation("accepted", answer.says())
    refused = answer.status in (411, 501)
    return Observation(
        "refused" if refused else "error", answer.says(), "" if refused else "These clients cannot push.", ok=refused
    )


@check("chunked-large", "What does AWS answer to a body of 8 MiB without Content-Length?")
def chunked_large(session: Session) -> Observation:
    content = os.urandom(8 * MIB)
    try:
        answer = session.registry.ask("PATCH", session.registry.open(), {}, lambda: chunks(content))
    except (OSError, http.client.HTTPException) as error:
        return Observation(
            "closed",
            f"no response could be read ({type(error).__name__})",
            "Clients show a broken pipe; " "the documentation should name it.",
        )
    told = "The message is in the documentation: use Docker's containerd image store, `berth push` or `berth gateway`."
    return Observation(str(answer.status), said(answer), told, ok=400 <= answer.status < 500)


@check("too-large", "What is the answer to a body of 6.5 MB?")
def too_large(session: Session) -> Observation:
    body = os.urandom(6_500_000)
    headers = {"Content-Length": str(len(body)), "Content-Type": "application/octet-stream"}
    target = f"/v2/{session.registry.repository}/blobs/uploads/?digest={NOWHERE}"
    try:
        answer = session.registry.ask("POST", target, headers, body)
    except (OSError, http.client.HTTPException) as error:
        return Observation(
            "closed", f"no response could be read ({type(error).__name__})", "Clients show a broken pipe."
        )
    told = "The registry's form, with advice." if answer.from_registry else "AWS's text; no client explains it."
    return Observation(str(answer.status), said(answer), told, ok=answer.status == 413)


@check("bodies", assumption="request-bodies")
def bodies(session: Session) -> Observation:
    """Text of 5.5 MB fits in an event as it is, and not in base64."""
    answer = rejected_content(session, b"text " * 1_100_000, "text/plain")
    detail = f"5.5 MB of text/plain: {answer.says()}"
    if answer.status == 400 and answer.from_registry:
        return Observation("binary-in-base64", detail)
    if answer.status == 413:
        return Observation("all-in-base64", detail)
    if answer.status in (411, 501):
        return hidden(f"{detail}; bodies without Content-Length are refused")
    return Observation("error", detail, ok=False)


@check("event-limit", "How large may a binary body be?", slow=True)
def event_limit(session: Session) -> Observation:
    low, high = FORWARDED, 5_000_000
    content = os.urandom(high)
    for size in (low, high):
        answer = rejected_content(session, content[:size], "application/octet-stream")
        if answer.status in (411, 501):
            return hidden(f"{answer.says()}; bodies without Content-Length are refused")
        if (answer.status == 400) != (size == low):
            return Observation(
                "error",
                f"{size} bytes: {answer.says()}",
                "The limit of 4 MiB in CloudFront's function " "and in the registry does not fit.",
                ok=False,
            )
    for _ in range(session.limits.bisections):
        size = (low + high) // 2
        fits = rejected_content(session, content[:size], "application/octet-stream").status == 400
        low, high = (size, high) if fits else (low, size)
    return Observation(
        str(low), f"bytes were accepted, {high} were not", "No change: at most 4,194,304 bytes are sent."
    )


@check("early-answers", fronts=(CLOUDFRONT,), assumption="early-answers")
def early_answers(session: Session) -> Observation:
    """A PATCH which is too large by its Content-Length: CloudFront's function answers before the body is sent."""
    size = 32 * MIB
    place, block, sent, broken = session.registry.open(), os.urandom(1 << 16), 0, ""
    connection = session.registry.connect()
    connection.putrequest("PATCH", place)
    connection.putheader("Authorization", f"Bearer {session.registry.token}")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    try:
        while sent < size:
            connection.send(block)
            sent += len(block)
    except OSError as error:
        broken = f"closed after {sent} bytes ({type(error).__name__})"
    try:
        answer = Answer(connection.getresponse(), "PATCH", 0)
        read, advice = f"{answer.status}", b"berth gateway" in answer.body
    except (OSError, http.client.HTTPException) as error:
        read, advice = f"no response could be read ({type(error).__name__})", False
    connection.close()
    detail = f"{read}{' with the advice' if advice else ''}, {broken or f'all {sent} bytes were read'}"
    return Observation("close" if broken else "read-on", detail, ok=bool(broken) or advice)


def burst(registry: Registry, size: int) -> Counter:
    """Statuses of `size` requests (0: no response) whose ends are sent one right after the other. Each waits for S3."""
    headers = {"Host": registry.host, "Connection": "close", **registry.authorization()}
    head = f"GET /v2/{registry.repository}/manifests/missing HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connections = [registry.connect() for _ in range(size)]
    for connection in connections:
        connection.connect()
        connection.sock.sendall(head.encode())
    for connection in connections:
        connection.sock.sendall(b"\r\n")
    statuses: Counter = Counter()
    for connection in connections:
        try:
            response = http.client.HTTPResponse(connection.sock, method="GET")
            response.begin()
            statuses[Answer(response, "GET", 0).status] += 1
        except (OSError, http.client.HTTPException):
            statuses[0] += 1
        connection.close()
    return statuses


@check("when-busy", assumption="when-busy")
def when_busy(session: Session) -> Observation:
    """More requests at once than instances may run, if the account allows few."""
    session.delay_s3()
    statuses = burst(session.registry, session.limits.burst)
    detail = f"{session.limits.burst} requests at once: " + ", ".join(
        f"{count} x {status or 'no response'}" for status, count in sorted(statuses.items())
    )
    if (503 if session.front == HTTP_API else 429) in statuses:
        return Observation("refuse", detail)
    if session.target.local:
        return Observation("wait", detail)
    return hidden(f"{detail}; the account's concurrency was not reached")
