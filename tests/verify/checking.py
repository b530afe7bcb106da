"""One line for each check, and what checks compare with."""

import contextlib
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    @contextlib.contextmanager
    def check(self, name: str):
        """Yields a list for what the line should tell; a check that raises has failed, and the next one goes on."""
        detail, began = [], time.monotonic()
        try:
            yield detail
        except Exception as error:
            self.failed += 1
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
            place = traceback.extract_tb(error.__traceback__)[-1]
            print(f"     {place.filename}:{place.lineno}", flush=True)
            return
        self.passed += 1
        print(
            f"PASS {name}{': ' + ', '.join(map(str, detail)) if detail else ''} ({time.monotonic() - began:.1f} s)",
            flush=True,
        )

    def count(self, lines: list) -> None:
        """Lines of another program that begin as these do."""
        for line in lines:
            passed = line.startswith("PASS ")
            self.passed, self.failed = self.passed + passed, self.failed + (not passed)
            print(line, flush=True)


def equal(what: str, found, expected) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, expected {expected!r}")


def require(condition, what: str) -> None:
    if not condition:
        raise AssertionError(what)
