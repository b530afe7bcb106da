"""Starts Berth, and the emulated AWS behind it, on loopback with storage of its own."""

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from switches import Run

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30  # generous: a debug build on a busy machine
STOP_SECONDS = 10
EMULATOR_KEYS = [
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "EMULATORS_BUCKET",
    "EMULATORS_TABLE",
]


class CannotStart(Exception):
    """Something that the runs need is missing or does not come up; the message says what to do."""


class Server:
    """A running process, where its output goes, and who may log in."""

    def __init__(self, process: subprocess.Popen, host: str, log: Path, login: dict[str, str]):
        self.process = process
        self.host = host
        self.log = log
        self.login = login

    def complaint(self) -> str | None:
        """What is wrong with the process after a run, or None."""
        if self.process.poll() is not None:
            return f"ended by itself with {self.process.returncode}: see {self.log}"
        if "panicked at" in self.log.read_text(errors="replace"):
            return f"panicked: see {self.log}"
        return None


def require_listener(host: str) -> None:
    """Raises CannotStart when nothing listens at HOST:PORT, before a thousand cases say so."""
    name, _, port = host.rpartition(":")
    try:
        socket.create_connection((name.strip("[]"), int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise CannotStart(f"no registry at {host!r} (HOST:PORT): {error}") from None


def clean_environment() -> dict[str, str]:
    """Credentials of the developer's own account must never reach a test."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "REGISTRY_"))}


@contextlib.contextmanager
def berth(run: Run, results: Path) -> Iterator[Server]:
    """Yields a Berth that answers, with empty storage; both are gone afterwards."""
    with contextlib.ExitStack() as stack:
        host = f"127.0.0.1:{_free_port()}"
        data = stack.enter_context(tempfile.TemporaryDirectory(prefix="berth-conformance-"))
        environment = clean_environment()
        if run.registry == "s3":
            emulated = stack.enter_context(_emulators(results))
            environment |= {k: v for k, v in emulated.items() if k.startswith("AWS_") and "ENDPOINT" not in k}
            storage = _s3(emulated, run.redirects())
        else:
            storage = {"storage": {"filesystem": {"rootdirectory": data}, "delete": {"enabled": True}}}
        configuration = {"version": 0.1, "http": {"addr": host}} | storage | run.server_configuration()
        file = results / "berth.yml"
        file.write_text(json.dumps(configuration, indent=2))  # JSON is YAML
        log = results / "berth.log"
        command = [binary("BERTH_BIN", "berth"), "serve", "--config", file]
        running = stack.enter_context(process(command, environment, log))
        wait("berth", running, log, lambda: _answers(host))
        yield Server(running, host, log, {})


def _s3(emulated: dict[str, str], redirects: bool) -> dict:
    region = emulated["AWS_REGION"]
    return {
        "storage": {
            "s3": {
                "bucket": emulated["EMULATORS_BUCKET"],
                "region": region,
                "regionendpoint": emulated["AWS_ENDPOINT_URL_S3"],
                "forcepathstyle": True,
            },
            "cache": {"blobdescriptor": "dynamodb"},
            "delete": {"enabled": True},
            "redirect": {"disable": not redirects},
        },
        "dynamodb": {
            "table": emulated["EMULATORS_TABLE"],
            "region": region,
            "endpoint": emulated["AWS_ENDPOINT_URL_DYNAMODB"],
        },
    }


@contextlib.contextmanager
def _emulators(results: Path) -> Iterator[dict[str, str]]:
    """Yields the KEY=VALUE lines that the emulators of S3 and DynamoDB print once they listen."""
    log = results / "emulators.log"
    with process([binary("BERTH_EMULATORS", "emulators")], dict(os.environ), log) as running:

        def printed() -> dict[str, str] | None:
            # The text after the last line break may be half a line.
            lines = log.read_text(errors="replace").split("\n")[:-1]
            pairs = dict(line.strip().split("=", 1) for line in lines if "=" in line)
            return pairs if all(key in pairs for key in EMULATOR_KEYS) else None

        yield wait("emulators", running, log, printed)


@contextlib.contextmanager
def process(command: list, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen]:
    with open(log, "wb") as output:
        running = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def wait(name: str, running: subprocess.Popen, log: Path, ready):
    """Returns what `ready` returns once that is true; raises CannotStart when the process ends or is too slow."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if found := ready():
            return found
        with contextlib.suppress(subprocess.TimeoutExpired):
            # The pause between two looks is itself a wait: for the process to end.
            running.wait(0.01)
            raise CannotStart(f"{name} ended with {running.returncode}:\n{log.read_text(errors='replace')}")
    raise CannotStart(f"{name} was not ready after {START_SECONDS} s:\n{log.read_text(errors='replace')}")


def _answers(host: str) -> bool:
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    """A port below the range that the kernel gives to outgoing connections, which could take it before the server does."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def binary(variable: str, name: str) -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    path = Path(os.environ.get(variable) or target / "debug" / name).resolve()
    if not path.is_file():
        raise CannotStart(f"no {name} at {path}: build it (cargo build --workspace), or name one in {variable}")
    return path
