"""The numbers and how they are printed."""

import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timezone

from registries import Registry

# key -> (heading, unit, format)
COLUMNS = {
    "manifest": ("manifest GET", "requests/s", "{:,.0f}"),
    "blob": ("1 MB blob GET", "GB/s", "{:.2f}"),
    "push": ("1 GB push", "s", "{:.2f}"),
    "start": ("start", "ms", "{:.1f}"),
    "resident": ("resident", "MB", "{:.1f}"),
}


class Results:
    """Every number of every registry; a median where there are any."""

    def __init__(self, compared: list[Registry]):
        self.berth, *self.peers = compared
        self.numbers: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, registry: Registry, column: str, number: float) -> None:
        self.numbers[registry.name, column].append(number)

    def median(self, registry: Registry, column: str) -> float | None:
        numbers = self.numbers.get((registry.name, column))
        return statistics.median(numbers) if numbers else None

    def ratio(self, peer: Registry, column: str) -> float | None:
        """Berth's median over the peer's, or None where the peer has none."""
        ours, theirs = self.median(self.berth, column), self.median(peer, column)
        return ours / theirs if ours and theirs else None


def print_machine() -> None:
    with open("/proc/cpuinfo") as cpuinfo:
        models = [line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    print(f"machine   {models[0] if models else platform.machine()}, {cores} cores, Linux {platform.release()}")
    load = os.getloadavg()[0]
    # Others at work on the machine make every number worse, and not all alike.
    busy = "" if load < cores / 2 else " - THE MACHINE IS BUSY, the numbers will not repeat"
    print(f"date      {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, load {load:.2f}{busy}")


def print_compared(compared: list[Registry], missing: list[str]) -> None:
    for registry in compared:
        print(f"{'compared' if registry.command else 'peer':<9} {registry.name}, {registry.version}")
    for line in missing:
        print(f"MISSING   {line}")
    print()


def print_table(compared: list[Registry], results: Results) -> None:
    rows = [["", *(heading for heading, _, _ in COLUMNS.values())]]
    rows.append(["", *(unit for _, unit, _ in COLUMNS.values())])
    for registry in compared:
        rows.append([registry.name, *(_show(results.median(registry, c), f) for c, (_, _, f) in COLUMNS.items())])
    for peer in results.peers:
        rows.append([f"berth / {peer.name}", *(_show(results.ratio(peer, c), "{:.2f}") for c in COLUMNS)])
    print_rows(rows)

    print("\nfrom the lowest to the highest of the runs:")
    rows = []
    for registry in compared:
        spans = (_span(results.numbers.get((registry.name, c)), f) for c, (_, _, f) in COLUMNS.items())
        rows.append([registry.name, *spans])
    print_rows(rows)


def _show(number: float | None, format: str) -> str:
    return "-" if number is None else format.format(number)


def _span(numbers: list[float] | None, format: str) -> str:
    return span(numbers, format) if numbers else "-"


def span(numbers: list[float], format: str) -> str:
    return f"{format.format(min(numbers))}..{format.format(max(numbers))}"


def print_rows(rows: Iterable[list[str]]) -> None:
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(rest, widths[1:])]
        print("  ".join(cells).rstrip())
