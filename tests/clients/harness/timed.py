"""One run of a program: how long it took, and how much memory it had."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .failure import CommandFailure
from .process import last_line

KIB = 1 << 10


@dataclass(frozen=True)
class Run:
    seconds: float
    resident: int  # bytes at most
    out: str


def timed(env: dict[str, str], *argv) -> Run:
    """Runs a program to its end; one that fails is a failure of the check."""
    argv = [str(word) for word in argv]
    out, err = (Path(env["HOME"]) / name for name in ("timed.out", "timed.err"))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        start = time.monotonic()
        process = subprocess.Popen(argv, env=env, cwd=env["HOME"], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandFailure(Path(argv[0]).name, process.returncode, last_line(err.read_bytes()) or last_line(out.read_bytes()))
    return Run(seconds, usage.ru_maxrss * KIB, out.read_text())
