"""Programs that a check runs, and daemons that live as long as the client that needs them."""

import os
import signal
import subprocess
from pathlib import Path

from .failure import CommandFailure, Failure
from .wait import until

COMMAND_SECONDS = 180
STOP_SECONDS = 20
# Debian's own folders only: what is elsewhere on a machine may be another version of the same name.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def environment(home: Path, **extra: str) -> dict[str, str]:
    """A clean one: no proxy, no credentials, no settings of the person who runs the suite."""
    return {"PATH": PATH, "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": str(home), **extra}


class Shell:
    """Runs commands in one environment and keeps what they said, to show when a check fails."""

    def __init__(self, env: dict[str, str], seconds: float = COMMAND_SECONDS):
        """No command may take longer than `seconds`."""
        self.env, self.seconds = env, seconds
        self.transcript: list[str] = []

    def run(self, *argv, cwd: Path | None = None, stdin: str = "", **extra_env: str) -> str:
        return self.run_bytes(*argv, cwd=cwd, stdin=stdin, **extra_env).decode(errors="replace")

    def run_bytes(self, *argv, cwd: Path | None = None, stdin: str = "", **extra_env: str) -> bytes:
        argv = [str(word) for word in argv]
        self.transcript.append("$ " + " ".join(argv))
        process = subprocess.Popen(
            argv, cwd=cwd or self.env["HOME"], env={**self.env, **extra_env}, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        try:
            out, err = process.communicate(stdin.encode(), timeout=self.seconds)
        except subprocess.TimeoutExpired:
            kill_group(process)
            out, err = process.communicate()
            self.transcript += [printable(out), printable(err)]
            raise Failure(f"{Path(argv[0]).name} did not end within {self.seconds} s") from None
        except BaseException:
            kill_group(process)
            raise
        self.transcript += [printable(out), printable(err)]
        if process.returncode != 0:
            raise CommandFailure(Path(argv[0]).name, process.returncode, last_line(err) or last_line(out))
        return out


class Daemon:
    """A program in its own process group, its output in a file, ended by `stop`."""

    def __init__(self, name: str, argv: list, env: dict[str, str], log: Path):
        self.name, self.log = name, log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in argv], env=env, cwd=log.parent, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )

    def until(self, fact, what: str, seconds: float = 60) -> None:
        def fact_or_death() -> bool:
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with {self.process.returncode}:\n{self.output()}")
            return fact()

        try:
            until(fact_or_death, f"{self.name}: {what}", seconds)
        except Failure:
            self.stop()
            raise

    def output(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> int:
        """Ends it in the way a service is ended; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        kill_group(self.process)
        return self.process.wait()


def kill_group(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def last_line(output: bytes) -> str:
    return output.decode(errors="replace").strip().rpartition("\n")[2].strip()


def printable(output: bytes, limit: int = 2000) -> str:
    text = output.decode(errors="replace").strip()
    return text if len(text) <= limit else f"[{len(text) - limit} more characters]\n{text[-limit:]}"
