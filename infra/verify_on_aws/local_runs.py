"""Runs the checks against the local stack in combination after combination, and compares."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from . import combinations, front_checks, local, report
from .assumptions import ASSUMPTIONS
from .checks import CHECKS
from .findings import HIDDEN
from .session import Limits, Session

DEFAULTS = {assumption.name: assumption.default for assumption in ASSUMPTIONS}


@dataclass
class Played:
    """One combination and what the checks found."""

    front: str
    combination: dict
    findings: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    seconds: float = 0

    def named(self) -> str:
        inverted = [f"{name}={value}" for name, value in self.combination.items() if value != DEFAULTS[name]]
        return " ".join(inverted) or "defaults"


def play(program: str, front: str, combination: dict, limits: Limits, only: list, slow: bool) -> Played:
    """Never raises for what the stack does."""
    played, began = Played(front, combination), time.monotonic()
    try:
        with local.started(program, front, combination) as (target, credentials):
            session = Session(target, limits, credentials=lambda: credentials)
            front_checks.log_in(session, lambda line: None)
            for check in CHECKS:
                if front in check.fronts and check.local and check.name in only and (slow or not check.slow):
                    played.findings.append(check.find(session))
    except Exception as error:  # a run that breaks is a result too, and must not end the others
        played.wrong.append(f"{type(error).__name__}: {error}")
    played.wrong += [reason for found in played.findings if (reason := local.wrong(found, combination, DEFAULTS))]
    played.seconds = time.monotonic() - began
    return played


def run(program: str, options, limits: Limits, say) -> tuple:
    """All runs of all front ends, and a summary of each front end."""
    runs, summaries = [], {}
    for front in options.front:
        if options.assume:
            rows, how = [dict(options.assume)], "one combination"
        else:
            rows, how = combinations.chosen(front, options.largest, options.strength)
        first, parts = options.part
        if parts > 1:
            rows, how = rows[first - 1 :: parts], f"part {first} of {parts} of {how}"
        say(f"{front}: {how}")
        began, here = time.monotonic(), []
        with ThreadPoolExecutor(options.jobs) as pool:
            # What takes long and depends on no assumption is done once.
            started = [
                pool.submit(play, program, front, row, limits, options.only, not number)
                for number, row in enumerate(rows)
            ]
            for number, future in enumerate(started):
                played = future.result()
                here.append(played)
                verdict = (
                    "; ".join(played.wrong)
                    if played.wrong
                    else f"ok, {len(played.findings)} checks in {played.seconds:.1f} s"
                )
                say(
                    f"{'FAIL' if played.wrong else 'PASS'} {front} {number + 1}/{len(rows)} {played.named()}: {verdict}"
                )
        summaries[front] = {
            "combinations": len(rows),
            "of": combinations.count(combinations.factors(front)),
            "how": how,
            "wrong": sum(bool(played.wrong) for played in here),
            "seconds": round(time.monotonic() - began, 1),
        }
        runs += here
    return runs, summaries


def table(runs: list) -> str:
    """How often each value was played and observed, through which front ends."""
    played, seen, hidden = Counter(), Counter(), Counter()
    for run in runs:
        for found in run.findings:
            if found.assumption:
                value = {**DEFAULTS, **run.combination}[found.assumption]
                played[run.front, found.assumption, value] += 1
                hidden[run.front, found.assumption, value] += found.value == HIDDEN
                seen[run.front, found.assumption, value] += found.value == value
    rows = [
        (
            f"[{front}] {name}",
            f"{value}: played {played[front, name, value]} times, observed {seen[front, name, value]}, "
            f"not observable {hidden[front, name, value]}",
            next(a for a in ASSUMPTIONS if a.name == name).values[value],
        )
        for front, name, value in sorted(played)
    ]
    return report.table(rows, ("assumption", "runs", "consequence"))
