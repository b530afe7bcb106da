"""What one run found, read from the program's junit.xml."""

import re
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

ROOT_NAME = "OCI Conformance Test"
LONGEST_MESSAGE = 400  # characters; report.html has the whole of it
MOST_FINDINGS = 100  # lines; a registry that fails everything would fill the screen


class Report:
    """Counts and named cases of one run.

    The counts are the program's own sums. They exceed the testcases it lists: one case may stand for
    two checks (deleted, and gone at once), and a skipped check in a case that passed shows in the sum alone.
    """

    def __init__(self, name: str, results: Path, seconds: float):
        self.name = name
        self.results = results
        self.seconds = seconds
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        # (word, case, message) -> how often: a case's name is the same for every blob and manifest.
        self.findings: Counter[tuple[str, str, str]] = Counter()

    @classmethod
    def read(cls, name: str, results: Path, seconds: float) -> "Report":
        """Reads the results folder. A missing or empty report is a failure, not a run without findings."""
        report = cls(name, results, seconds)
        junit = results / "junit.xml"
        if not junit.is_file():
            report.fail("program", f"wrote no junit.xml; {_last_line(results / 'program.log')}")
            return report
        suite = xml.parse(junit).getroot().find("testsuite")
        tests, *counts = (int(suite.get(k, 0)) for k in ("tests", "failures", "errors", "skipped", "disabled"))
        report.passed = tests - sum(counts)
        report.failed = counts[0] + counts[1]
        report.skipped = counts[2] + counts[3]
        for case in suite.iter("testcase"):
            report.name_finding(case)
        if (report.failed or report.skipped) and not report.findings:
            report.findings["SEE", "report.html", "no listed case failed or was skipped, the program's sums say otherwise"] += 1
        if not report.passed:
            report.fail("program", "no case passed")
        return report

    def name_finding(self, case: xml.Element) -> None:
        """Notes a testcase that did not pass. The verdict is in its `status`; there is no <failure> element."""
        status = case.get("status")
        if status == "passed":
            return
        name = case.get("name", "").removeprefix(ROOT_NAME).lstrip("/")
        word = "SKIPPED" if status == "skipped" else "FAILED"
        self.findings[word, name, _shorten(case.findtext("system-out") or _reason(case))] += 1

    def fail(self, name: str, message: str) -> None:
        """Adds a failure that is no case of the program's: its own, or the server's."""
        self.failed += 1
        self.findings["FAILED", name, _shorten(message)] += 1

    def print(self) -> None:
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        print(f"{self.name}: {counts} ({self.seconds:.1f} s)")
        for (word, name, message), times in sorted(self.findings.items())[:MOST_FINDINGS]:
            repeated = f" ({times} times)" if times > 1 else ""
            print(f"  {word} {name}{repeated}: {message}")
        if len(self.findings) > MOST_FINDINGS:
            print(f"  and {len(self.findings) - MOST_FINDINGS} more")
        if self.findings:
            print(f"  every request and answer: {self.results}/report.html")


def _shorten(message: str) -> str:
    """One line: the program's messages hold line breaks and whole bodies. Without digests the same message
    about two blobs is one finding."""
    line = re.sub(r"\b[0-9a-f]{64,128}\b", "...", " ".join(message.split()))
    return line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + " ..."


def _reason(case: xml.Element) -> str:
    """Why a case that never asked the server was skipped: the end of its log says it."""
    _, _, reason = (case.findtext("system-err") or "").rpartition("skipping test:")
    return reason or "no reason given"


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.is_file() else []
    return next((line for line in reversed(lines) if line.strip()), "it printed nothing")
