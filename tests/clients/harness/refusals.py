"""Whether a client was refused as it should be, and says so. Each has its own words."""

import re
from collections.abc import Callable

from .failure import CommandFailure, Failure, equal, require
from .recorder import Request
from .traffic import Traffic

LOG_IN = (
    "unauthorized", "401", "authorization", "authentication", "credential", "username/password", "log in", "docker login", "password",
)
DENIED = ("denied", "403", "forbidden", "may not push")
LONGEST = 150  # characters of what a client says; it may name each layer


def asked_to_log_in(traffic: Traffic, act: Callable[[], object]) -> str:
    """`act` fails because nobody in particular may do it; returns what the client says."""
    said = _refused(traffic, act, {401}, LOG_IN)
    # A token that grants nothing is for everybody.
    let_in = [
        str(request) for request in traffic.requests() if _succeeded(request) and request.path != "/token"
    ]
    equal("requests that were let in", let_in, [])
    return said


def shut_out(traffic: Traffic, act: Callable[[], object]) -> str:
    """`act` fails because the client never learns how to log in; returns what it says, which need not name the reason."""
    return _refused(traffic, act, {401}, ("",))


def not_a_success(traffic: Traffic, act: Callable[[], object]) -> str:
    """`act` fails, although what it was answered with is no error of HTTP: 300; returns what the client says."""
    return _refused(traffic, act, {300}, ("",))


def not_let_in(traffic: Traffic, act: Callable[[], object]) -> str:
    """`act` fails because of a wrong password, whichever status says so; returns what the client says."""
    return _refused(traffic, act, {300, 401}, ("",))


def denied(traffic: Traffic, act: Callable[[], object]) -> str:
    """`act` fails because who is logged in may not change anything there; returns what the client says."""
    said = _refused(traffic, act, {403}, DENIED)
    reads = ("GET", "HEAD")
    changed = [
        str(request) for request in traffic.requests()
        if _succeeded(request) and request.method not in reads and request.path != "/token"
    ]
    equal("requests that changed something", changed, [])
    return said


def _refused(traffic: Traffic, act: Callable[[], object], statuses: set[int], words: tuple[str, ...]) -> str:
    traffic.begin()
    try:
        act()
    except CommandFailure as failure:
        said = failure.said
    else:
        raise Failure("it was let in")
    require(any(word in said.lower() for word in words), f"it does not say why: {said}")
    require(any(request.status in statuses for request in traffic.requests()), f"no answer was any of {statuses}")
    return brief(said)


def _succeeded(request: Request) -> bool:
    return request.status is not None and request.status < 400


def brief(said: str) -> str:
    """The end of what a client says, where the reason stands, without a log line's frame and without whole digests."""
    said = re.sub(r"\?_state=[^\s\":]*", "?...", said)
    framed = re.search(r'msg="(.*)"$', said)
    said = re.sub(r"(sha256:[0-9a-f]{8})[0-9a-f]{56}", r"\1", framed[1].replace('\\"', '"') if framed else said)
    return said if len(said) <= LONGEST else "..." + said[-LONGEST:]
