"""The checks. Each is a function of a session which returns an `Observation`; `@check` gives it its name, its question,
the fronts that it is about, and the assumption whose value it observes.
"""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..assumptions import BY_NAME, FRONTS, Assumption
from ..aws import CommandFailed
from ..findings import HIDDEN, Finding, Observation
from ..registry import CheckFailed
from ..session import Session

CHECKS: list["Check"] = []


@dataclass(frozen=True)
class Check:
    name: str
    question: str
    fronts: tuple
    run: Callable[[Session], Observation]
    assumptions: dict  # front -> the name of the assumption which the value is of
    local: bool  # whether it has anything to do in a local run
    slow: bool  # not once for each combination of a local run

    def assumption(self, front: str) -> "Assumption | None":
        return BY_NAME.get(self.assumptions.get(front, ""))

    def find(self, session: Session) -> Finding:
        """Never raises for what the deployment does."""
        began = time.monotonic()
        try:
            seen = self.run(session)
        except (
            CheckFailed,
            CommandFailed,
            OSError,
            http.client.HTTPException,
            subprocess.SubprocessError,
            ValueError,
            KeyError,
        ) as error:
            reason = str(error) or type(error).__name__
            seen = Observation("error", reason, "The question is still open; the error tells what failed.", ok=False)
        assumption = self.assumption(session.front)
        consequence = seen.consequence or (assumption.values.get(seen.value, "") if assumption else "")
        return Finding(
            front=session.front,
            check=self.name,
            question=self.question,
            value=seen.value,
            detail=seen.detail,
            consequence=consequence,
            ok=seen.ok,
            assumption=assumption.name if assumption else "",
            default=assumption.default if assumption else "",
            seconds=time.monotonic() - began,
        )


def check(name: str, question: str = "", fronts=FRONTS, assumption="", local=True, slow=False):
    """`assumption` is a name, or a dictionary of names by front; `question` is the assumption's unless given."""
    if isinstance(assumption, dict):
        assumptions = assumption
    else:
        assumptions = dict.fromkeys(BY_NAME[assumption].fronts, assumption) if assumption else {}
    first = BY_NAME.get(next(iter(assumptions.values()), ""))

    def register(run: Callable[[Session], Observation]) -> Callable[[Session], Observation]:
        CHECKS.append(Check(name, question or first.question, tuple(fronts), run, assumptions, local, slow))
        return run

    return register


def hidden(reason: str) -> Observation:
    return Observation(HIDDEN, reason, "Nothing follows from this run.")


# In the order in which they run: `renamed` reads what all others saw.
from . import login, headers, lengths, requests, edge, copies, slow, sizes, logs, renamed  # noqa: E402,F401
