"""What linters report about the workflows, which nothing on this machine runs, the Dockerfile and the shell scripts."""

import os
import subprocess
from pathlib import Path

from harness import tool
from report import Report, require
from tools import ROOT

# Checked in the environment's folder and in that of Go programs; Debian's are on PATH.
VENV = tool.clients_dir() / "venv-package" / "bin"
PATH = os.pathsep.join([str(VENV), str(tool.clients_dir() / "bin"), os.environ.get("PATH", "")])
# A suggestion of style is not a fault ("severity", shellcheck(1)).
SEVERITY = "warning"

# The row of tests/clients/versions that each comes from.
LINTERS = {
    "actionlint": ("actionlint", lambda: call("actionlint", "-no-color")),
    "zizmor": ("package", lambda: call("zizmor", "--offline", "--no-progress", "--color=never", ".github")),
    "hadolint": ("package", lambda: call("hadolint", "--no-color", "Dockerfile")),
    "shellcheck": ("shellcheck", lambda: call("shellcheck", "--severity", SEVERITY, *scripts())),
}


def run(report: Report) -> None:
    for name, (row, check) in LINTERS.items():
        if tool.version(row) is None:
            report.missing(name, f"run tests/clients/install {row}")
            continue
        report.run("lint", {f"{name} reports nothing": check})


def call(*command: str) -> None:
    """Runs a linter. Findings are printed with the failure."""
    found = subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": PATH}, capture_output=True, text=True)
    require(found.returncode == 0, found.stdout + found.stderr)


def scripts() -> list[str]:
    """The shell scripts that git tracks, by their first lines."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in tracked.split("\0") if name and is_script(ROOT / name)]


def is_script(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and first.split(b"/")[-1].split()[-1] in (b"sh", b"bash")
