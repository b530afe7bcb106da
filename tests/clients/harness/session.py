"""One client's run: its start, its checks behind a recorder, and what is shown when one of them fails."""

import os
from collections.abc import Callable
from pathlib import Path

from client.base import Client

from . import tool
from .process import Shell, environment
from .recorder import Recorder
from .registry import Registry
from .report import Report
from .traffic import Traffic

REQUESTS_SHOWN = 40


def why_not(kind: type[Client]) -> str | None:
    if any(tool.version(need) is None for need in kind.needs):
        return "run tests/clients/install"
    if kind.needs_root and os.geteuid() != 0:
        return "its daemon must be started by root"
    return None


def run_client(kind: type[Client], temp: Path, registry: Registry, report: Report,
               checks_of: Callable[[Client], list]) -> None:
    """`checks_of` returns pairs of a name and a function that returns the detail to print."""
    reason = why_not(kind)
    if reason:
        report.missing(kind.name, reason)
        return
    temp.mkdir()
    recorder = Recorder(registry.address)
    traffic, shell = Traffic(recorder), Shell(environment(temp))
    client = kind(temp, shell, recorder.host, registry, traffic)
    lines = report.lines(kind.name, tool.version(kind.needs[0]))

    def evidence() -> str:
        requests = [str(request) for request in traffic.requests()[-REQUESTS_SHOWN:]]
        return "\n".join([*shell.transcript, client.logs(), "registry:", registry.log(),
                          "requests:", *requests])

    try:
        if client.overrides("start"):
            with lines.check("start", evidence):
                client.start()
        # A client that did not start fails once, not by every check.
        for name, check in [] if lines.failed else checks_of(client):
            shell.transcript.clear()
            traffic.begin()
            with lines.check(name, evidence) as detail:
                detail.append(check())
        for name, reason in client.never.items():
            lines.fact(name, reason)
    finally:
        client.stop()
        recorder.close()
