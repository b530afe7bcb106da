"""The OCI conformance program, if it is installed (`tests/clients/install conformance`)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

from .findings import HIDDEN, Finding
from .programs import ROOT, clients_folder
from .registry import is_loopback
from .session import Session

QUESTION = "Does the OCI conformance program pass (1.1)?"


def installed() -> bool:
    return os.access(clients_folder() / "conformance", os.X_OK)


def run(session: Session) -> Iterator[Finding]:
    """One finding, or none where the program is not installed."""
    if not installed():
        return
    challenge = session.registry.ask("GET", "/v2/", anonymous=True)
    if not challenge.header("www-authenticate"):
        reason = "the program finds no WWW-Authenticate, and cannot log in"
        yield Finding(session.front, "conformance", QUESTION, HIDDEN, reason, "Nothing follows from this run.", True)
        return
    # The runner of the tests knows every switch of the program.
    sys.path.append(str(ROOT / "tests" / "conformance"))
    import program
    import switches

    began = time.monotonic()
    asked = switches.Run("lambda", "1.1", session.front)
    tls = "disabled" if is_loopback(session.target.host) else "enabled"
    login = {"OCI_USERNAME": session.target.user, "OCI_PASSWORD": session.target.password}
    report = program.run(program.find(), asked, session.target.host, tls, program.results_directory(asked), login)
    detail = f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped"
    ok = report.failed == report.skipped == 0 < report.passed
    yield Finding(
        session.front,
        "conformance",
        QUESTION,
        "yes" if ok else "no",
        detail,
        "No change." if ok else "target/conformance has every request.",
        ok,
        seconds=time.monotonic() - began,
    )
