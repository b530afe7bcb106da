"""The conformance program: where it is, how it is started, and what it leaves behind."""

import os
import re
import shutil
import subprocess
import time
import uuid
from pathlib import Path

from report import Report
from servers import ROOT, CannotStart
from switches import Run

# A run takes seconds; only a server that stopped answering reaches this.
LONGEST_RUN_SECONDS = 600


def find() -> Path:
    """Returns the program's binary, or raises CannotStart with the way to get it."""
    clients = Path(os.environ.get("BERTH_CLIENTS_DIR") or ROOT / ".clients")
    binary = clients / "bin" / "conformance"
    if not binary.is_file():
        raise CannotStart(f"no conformance program at {binary}: tests/clients/install builds it there")
    return binary


def results_directory(run: Run) -> Path:
    """An empty folder, kept after the run: junit.xml, report.html with every request, and logs."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    directory = target / "conformance" / re.sub(r"[^A-Za-z0-9.]+", "-", run.name())
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def run(binary: Path, run: Run, host: str, tls: str, results: Path, login: dict[str, str]) -> Report:
    """Runs the program to its end, logged in by the variables of `login`. Its exit code is not asked: it is 0 for skips
    and for a bad configuration."""
    # Switches of the caller's shell must not change what is tested; credentials for --host may pass.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OCI_")}
    environment |= {k: os.environ[k] for k in ("OCI_USERNAME", "OCI_PASSWORD") if k in os.environ} | login
    # A registry that runs already may hold what an earlier run left: fresh names see none of it.
    repositories = f"conformance/{uuid.uuid4().hex[:12]}"
    environment |= run.environment() | {
        "OCI_REGISTRY": host,
        "OCI_TLS": tls,
        "OCI_REPO1": f"{repositories}/repo1",
        "OCI_REPO2": f"{repositories}/repo2",
        "OCI_RESULTS_DIR": str(results),
    }
    started = time.monotonic()
    with open(results / "program.log", "wb") as log:
        # The working folder holds no oci-conformance.yaml, which the program would read.
        process = subprocess.Popen(
            [binary.resolve()], env=environment, cwd=results, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            process.wait(LONGEST_RUN_SECONDS)
            problem = None
        except subprocess.TimeoutExpired:
            problem = f"did not end in {LONGEST_RUN_SECONDS} s"
        finally:
            process.kill()  # also when this script is told to stop
    report = Report.read(run.name(), results, time.monotonic() - started)
    if problem:
        report.fail("program", problem)
    return report
