"""The registries that are compared: where each is found, how it is configured and started."""

import contextlib
import dataclasses
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
START_SECONDS = 10


class Failed(Exception):
    """The bench cannot go on; the message says why."""


@dataclasses.dataclass(eq=False)
class Registry:
    """One registry. `command` is None for one that runs already: it cannot be started or looked into."""

    name: str
    version: str
    command: list[str] | None  # the configuration file's path is appended
    storage: dict = dataclasses.field(default_factory=dict)  # settings beyond the folder
    host: str = ""
    folder: Path | None = None

    def prepare(self, scratch: Path) -> None:
        """Gives a registry that is started here its folder, port and configuration."""
        if not self.command:
            return
        self.host = f"127.0.0.1:{free_port()}"
        self.folder = scratch / self.name.replace(" ", "-")
        self.folder.mkdir()
        self.configuration.write_text(json.dumps(self._settings(), indent=2))

    def _settings(self) -> dict:
        """In distribution's format, which Berth reads too."""
        folder = {"filesystem": {"rootdirectory": str(self.folder / "data")}, "delete": {"enabled": True}}
        return {
            "version": 0.1,
            "log": {"accesslog": {"disabled": True}, "level": "error"},
            "storage": folder | self.storage,
            "http": {"addr": self.host},
        }

    @property
    def configuration(self) -> Path:
        return self.folder / "config.yml"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def arguments(self) -> list[str]:
        return [*self.command, str(self.configuration)]

    @property
    def environment(self) -> dict[str, str]:
        # distribution 3 sends traces to localhost unless told not to.
        return os.environ | {"OTEL_TRACES_EXPORTER": "none"}

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Runs the registry until the block ends; one that runs already need only answer."""
        if not self.command:
            if not answers(self.host):
                raise Failed(f"{self.name} does not answer at {self.host}")
            yield
            return
        with open(self.log, "wb") as log:
            process = subprocess.Popen(self.arguments, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(self, process)
            yield
        finally:
            if process.poll() is not None:
                # Why a request failed, if one did: the failure itself only says "connection refused".
                tail = self.log.read_text(errors="replace")[-2000:]
                print(f"bench: {self.name} ended by itself with {process.returncode}:\n{tail}", file=sys.stderr)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def find() -> tuple[list[Registry], list[str]]:
    """Returns the registries there are, Berth first, and a line for each that is missing."""
    berth = Path(os.environ.get("BERTH_BIN") or TARGET / "release" / "berth").resolve()
    if not berth.is_file():
        raise Failed(f"no berth at {berth}: build it (cargo build --release), or name one in BERTH_BIN")
    found = [Registry("berth", _version(berth), [str(berth), "serve", "--config"])]
    missing = []

    # The peers run as they are shipped, with the cache that makes them answer with less work.
    cache = {"cache": {"blobdescriptor": "inmemory"}}
    clients = Path(os.environ.get("BERTH_CLIENTS_DIR") or ROOT / ".clients")
    peers = [
        ("distribution 3.1", clients / "bin" / "registry", "tests/clients/install builds it"),
        ("docker-registry 2.8", shutil.which("docker-registry"), "apt-get install docker-registry"),
    ]
    for name, binary, remedy in peers:
        if binary and Path(binary).is_file():
            found.append(Registry(name, _version(binary), [str(Path(binary).resolve()), "serve"], cache))
        else:
            missing.append(f"{name}: not found; {remedy}")

    for peer in filter(None, os.environ.get("PEERS", "").split(",")):
        name, equals, host = peer.strip().partition("=")
        if not equals:
            raise Failed(f"PEERS: {peer!r} is not name=host:port")
        found.append(Registry(name, "runs already", None, host))
    return found, missing


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    parent = TARGET / "bench"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def answers(host: str) -> bool:
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _wait(registry: Registry, process: subprocess.Popen) -> None:
    for _ in range(START_SECONDS * 100):
        if answers(registry.host):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            # The pause between two looks is itself a wait: for the process to end.
            process.wait(0.01)
            break
    raise Failed(f"{registry.name} did not start:\n{registry.log.read_text(errors='replace')}")


def _version(binary: Path | str) -> str:
    run = subprocess.run([binary, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    words = run.stdout.split()
    return words[-1] if run.returncode == 0 and words else "version unknown"


def free_port() -> int:
    """A port below the range that the kernel gives to outgoing connections, which could take it before the server does."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
