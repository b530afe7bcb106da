"""Which response headers a front end renames, and whether clients find the challenge all the same."""

from __future__ import annotations

from ..assumptions import CLOUDFRONT, FUNCTION_URL, HTTP_API
from ..findings import Observation
from ..session import Session
from . import check, hidden

RENAMED_CHALLENGE = "x-amzn-remapped-www-authenticate"


@check(
    "challenge",
    fronts=(HTTP_API, FUNCTION_URL),
    assumption={HTTP_API: "http-api-challenge", FUNCTION_URL: "function-url-challenge"},
    question="Does the front end rename the response header WWW-Authenticate?",
)
def challenge(session: Session) -> Observation:
    answer = session.registry.ask("GET", "/v2/", anonymous=True)
    names = [name for name in ("www-authenticate", RENAMED_CHALLENGE, "x-berth-challenge") if answer.header(name)]
    detail = f"{answer.status} with {', '.join(names) or 'no challenge'}"
    if answer.status != 401 or not names:
        return Observation("error", f"{detail}: {answer.text()}", "Clients cannot log in.", ok=False)
    renamed = RENAMED_CHALLENGE in names or "www-authenticate" not in names
    # An HTTP API restores the header; a function URL cannot.
    ok = session.front == FUNCTION_URL or "www-authenticate" in names
    return Observation("renamed" if renamed else "kept", detail, "" if ok else "Clients cannot log in.", ok)


@check("edge-challenge", "Does CloudFront's function answer a request without credentials?", (CLOUDFRONT,))
def edge_challenge(session: Session) -> Observation:
    answer = session.registry.ask("GET", "/v2/", anonymous=True)
    ok = answer.status == 401 and answer.header("www-authenticate") != ""
    return Observation("yes" if ok else "no", f"{answer.says()}", "No change." if ok else "Clients cannot log in.", ok)


@check(
    "origin-challenge",
    "Is the registry's own 401 restored on its way through CloudFront?",
    (CLOUDFRONT,),
    assumption="viewer-response-runs",
)
def origin_challenge(session: Session) -> Observation:
    answer = session.registry.ask("GET", "/v2/", {"Authorization": "Bearer expired"})
    detail = f"{answer.status}, www-authenticate {'present' if answer.header('www-authenticate') else 'absent'}"
    if answer.status == 401 and answer.header("www-authenticate"):
        return Observation("yes", detail)
    if answer.status == 300:
        return Observation("no", f"{detail}: the registry's encoded 401 came through as it was", ok=False)
    return Observation("partly", f"{detail}: {answer.text()}", "Clients cannot renew expired tokens.", ok=False)


@check("range", assumption="range-header")
def range_header(session: Session) -> Observation:
    place = session.registry.open()
    headers = {"Content-Length": "1", "Content-Type": "application/octet-stream"}
    answer = session.registry.ask("PATCH", place, headers, b"x")
    if answer.status != 202:
        return Observation("error", answer.says(), "Clients that PATCH cannot push.", ok=False)
    names = [name for name in ("range", "x-amzn-remapped-range", "x-berth-range") if answer.header(name)]
    detail = f"202 with {', '.join(names) or 'none'}" + (
        f", Range: {answer.header('range')}" if answer.header("range") else ""
    )
    if not names:
        return hidden(detail)
    renamed = "x-amzn-remapped-range" in names or "range" not in names
    kept = answer.header("range") == "0-0"
    ok = kept or session.front == FUNCTION_URL
    return Observation("renamed" if renamed else "kept", detail, "" if ok else "Clients that PATCH fail.", ok)
