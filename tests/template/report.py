"""One line for each check, and the count that closes the run."""

import contextlib
import os
import time


class Failure(Exception):
    """What a check saw instead of what it must see."""


def equal(what: str, seen, expected) -> None:
    if seen != expected:
        raise Failure(f"{what}: {seen!r}, expected {expected!r}")


def require(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(message)


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    @contextlib.contextmanager
    def check(self, group: str, name: str):
        """Runs the block as one check. The block may put details into the list it is given."""
        detail: list[str] = []
        start = time.monotonic()
        try:
            yield detail
        except Exception as error:  # an answer that no check foresaw is a failure like any other
            self.failed += 1
            reason = str(error) if isinstance(error, Failure) else repr(error)
            first, *rest = reason.splitlines() or [""]
            self._line("FAIL", group, name, first)
            print("\n".join(f"    {line}" for line in rest), end="\n" if rest else "", flush=True)
        else:
            self.passed += 1
            seconds = time.monotonic() - start
            self._line("PASS", group, name, " ".join([*detail, f"({seconds:.1f} s)"] if seconds >= 1 else detail))

    def run(self, group: str, checks: dict) -> None:
        """Runs each of `checks`, a function without arguments by its name. What one returns is its detail."""
        for name, check in checks.items():
            with self.check(group, name) as detail:
                said = check()
                if said:
                    detail.append(said)

    @contextlib.contextmanager
    def around(self, group: str):
        """Counts a failure outside every check, such as that of a deployment to come up."""
        try:
            yield
        except Exception as error:
            self.failed += 1
            self._line("FAIL", group, "comes up", str(error) if isinstance(error, Failure) else repr(error))

    def missing(self, name: str, why: str) -> None:
        """In CI every tool must be there; on a developer's machine one may be missing."""
        if os.environ.get("CI") == "true":
            self.failed += 1
            print(f"FAIL    {name}: {why}", flush=True)
        else:
            self.skipped += 1
            print(f"NOT RUN {name}: {why}", flush=True)

    def close(self) -> int:
        """Prints the count; returns the exit code."""
        print(f"\n{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0

    @staticmethod
    def _line(status: str, group: str, name: str, detail: str) -> None:
        print(f"{status:<8}{group:<12}{name:<65} {detail}".rstrip(), flush=True)
