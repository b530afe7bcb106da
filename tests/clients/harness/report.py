"""One line for each client and check, and the count that closes the run."""

import contextlib
import os
import time
from collections.abc import Callable

from .failure import Failure


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def missing(self, name: str, why: str) -> None:
        """In CI every client must be there; on a developer's machine one may be missing."""
        if os.environ.get("CI") == "true":
            self.failed += 1
            print(f"FAIL    {name}: {why}", flush=True)
        else:
            self.skipped += 1
            print(f"NOT RUN {name}: {why}", flush=True)

    def heading(self, title: str) -> None:
        """What the lines that follow are about."""
        print(f"\n{title}", flush=True)

    def lines(self, client: str, version: str) -> "Lines":
        return Lines(self, client, version)

    @contextlib.contextmanager
    def around(self):
        """Counts a failure outside every check, such as that of the registry to start or to stop."""
        try:
            yield
        except Failure as failure:
            self.failed += 1
            print(f"FAIL    {failure}", flush=True)

    def close(self) -> int:
        """Prints the count; returns the exit code."""
        print(f"\n{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0


class Lines:
    """The lines of one client."""

    def __init__(self, report: Report, client: str, version: str):
        self.report, self.client, self.version = report, client, version
        self.failed = 0

    def line(self, status: str, check: str, detail: str) -> None:
        print(f"{status:<8}{self.client:<11}{self.version:<15}{check:<29}{detail}", flush=True)

    def fact(self, check: str, reason: str) -> None:
        """What the client never does: neither a pass nor a failure of the registry."""
        self.line("-", check, f"never: {reason}")

    @contextlib.contextmanager
    def check(self, name: str, evidence: Callable[[], str]):
        """Runs the block as one check. The block may put its detail into the list it is given;
        what `evidence` returns is printed when the block fails."""
        detail: list[str] = []
        start = time.monotonic()

        def seconds() -> str:
            return f"({time.monotonic() - start:.1f} s)"

        try:
            yield detail
        except Exception as error:  # an answer that no check foresaw is a failure like any other
            self.failed += 1
            self.report.failed += 1
            reason = error if isinstance(error, Failure) else repr(error)
            self.line("FAIL", name, f"{reason} {seconds()}")
            print("\n".join("    " + line for line in evidence().splitlines()), flush=True)
        else:
            self.report.passed += 1
            self.line("PASS", name, " ".join([*detail, seconds()]))
