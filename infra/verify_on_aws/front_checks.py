"""Everything that is asked of one deployment: the checks, the conformance program, the clients."""

from __future__ import annotations

import http.client
from typing import Callable

from . import clients, conformance
from .checks import CHECKS
from .findings import Finding
from .registry import CheckFailed
from .session import Session


def log_in(session: Session, say: Callable[[str], None]) -> None:
    """For checks that need a token; one of them shows a login which does not work."""
    try:
        session.registry.log_in()
    except (CheckFailed, OSError, http.client.HTTPException, ValueError) as error:
        say(f"[{session.front}] no login: {error}")


def run(session: Session, options, findings: list, say: Callable[[str], None]) -> None:
    """Appends what is found at once, so that an interruption loses none of it; what a deployment does wrong is a
    finding, not an exception."""
    log_in(session, say)

    def note(finding: Finding) -> None:
        findings.append(finding)
        say(f"[{session.front}] {finding.check}: {finding.observation} ({finding.verdict()})")

    for check in CHECKS:
        if session.front in check.fronts and check.name in options.only:
            note(check.find(session))
    if options.conformance:
        for finding in conformance.run(session):
            note(finding)
    if options.clients:
        for finding in clients.run(session):
            note(finding)
