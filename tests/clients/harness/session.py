"""One client's session: its start, its checks behind a recorder, and what is shown when one of them fails."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


def version(kind: type[Client]) -> str:
    """As `versions` has it; Berth's own programs have none there."""
    return tool.version(kind.needs[0]) if kind.needs else ""


@dataclass
class Session:
    """A client that has not been started, behind a recorder of its own."""

    client: Client
    shell: Shell
    traffic: Traffic

    def begin(self) -> None:
        """What is shown from here on is about the next check."""
        self.shell.transcript.clear()
        self.traffic.begin()

    def evidence(self) -> str:
        requests = [str(request) for request in self.traffic.requests()[-REQUESTS_SHOWN:]]
        said = [*self.shell.transcript, self.client.logs(), "registry:", self.client.registry.log(), "requests:"]
        return "\n".join([*said, *requests])


@contextlib.contextmanager
def session(kind: type[Client], temp: Path, registry: Registry) -> Iterator[Session]:
    temp.mkdir(parents=True)
    recorder = Recorder(registry.address)
    traffic, shell = Traffic(recorder), Shell(environment(temp))
    client = kind(temp, shell, recorder.host, registry, traffic)
    try:
        yield Session(client, shell, traffic)
    finally:
        client.stop()
        recorder.close()


def run_client(kind: type[Client], temp: Path, registry: Registry, report: Report,
               checks_of: Callable[[Client], list]) -> None:
    """`checks_of` returns pairs of a name and a function that returns the detail to print."""
    reason = why_not(kind)
    if reason:
        report.missing(kind.name, reason)
        return
    lines = report.lines(kind.name, version(kind))
    with session(kind, temp, registry) as running:
        client = running.client
        if client.overrides("start"):
            with lines.check("start", running.evidence):
                client.start()
        # A client that did not start fails once, not by every check.
        for name, check in [] if lines.failed else checks_of(client):
            running.begin()
            with lines.check(name, running.evidence) as detail:
                detail.append(check())
        for name, reason in client.never.items():
            lines.fact(name, reason)
