"""Cold starts and billed time, from the lines which Lambda writes at the end of each invocation."""

from __future__ import annotations

import re
import time
from statistics import median

from ..findings import Observation
from ..session import Session
from . import check, hidden

REPORT = re.compile(
    r"REPORT RequestId: \S+\s+Duration: ([\d.]+) ms\s+Billed Duration: ([\d.]+) ms\s+Memory Size: (\d+) MB\s+"
    r"Max Memory Used: (\d+) MB(?:\s+Init Duration: ([\d.]+) ms)?"
)
ARRIVAL_SECONDS = 60  # log lines arrive with a delay


def reports(session: Session) -> list:
    """(duration, billed, memory, used, init or None) of each invocation, milliseconds and MB."""
    until = time.monotonic() + ARRIVAL_SECONDS
    while True:
        lines = session.aws.json(
            "logs",
            "filter-log-events",
            "--log-group-name",
            session.target.log_group,
            "--start-time",
            str(session.target.started_ms),
            "--filter-pattern",
            "REPORT",
        )
        found = [match for event in lines.get("events", []) if (match := REPORT.search(event["message"]))]
        if found or time.monotonic() > until:
            return [tuple(float(field) if field else None for field in match.groups()) for match in found]
        time.sleep(5)


@check("lambda-time", "How long are cold starts, and what is billed?", local=False)
def lambda_time(session: Session) -> Observation:
    if session.aws is None:
        return hidden("no Lambda in a local run")
    found = reports(session)
    if not found:
        return hidden("the log has no REPORT line")
    starts = [init for *_, init in found if init is not None]
    billed = [milliseconds for _, milliseconds, *_ in found]
    used = max(used for _, _, _, used, _ in found)
    cold = (
        f"{len(starts)} cold starts of {min(starts):.0f} to {max(starts):.0f} ms, median {median(starts):.0f}"
        if starts
        else "no cold start"
    )
    time_billed = f"billed {median(billed):.0f} ms in the median, {sum(billed) / 1000:.1f} s in all"
    detail = f"{len(found)} invocations; {cold}; {time_billed}; {used:.0f} MB used at most"
    return Observation("measured", detail, "For the documentation's figures.")
