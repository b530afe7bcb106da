"""The deployment on this machine: `lambda-local`, which runs the real bootstrap as Lambda does, with S3 and DynamoDB in process."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from registries import ROOT, TARGET, Failed

START_SECONDS = 30
SETTLE_SECONDS = 10
PASSWORD = "cold-start"
# bcrypt hashes of PASSWORD by their cost: 5 is htpasswd's default, 10 that of most other tools.
HASHES = {
    5: "$2b$05$abcdefghijklmnopqrstuuRYMNdPUhpgI762dXmKeQOGfqZ31qupa",
    10: "$2b$10$abcdefghijklmnopqrstuuyS7qpxGYB2Z.Kyp2Fjqoy1OgELY86vK",
}


@dataclass(frozen=True)
class Deployment:
    host: str  # of the front door, HOST:PORT
    admin: str  # http://HOST:PORT
    bootstrap: Path

    def ask(self, path: str, method: str = "GET"):
        """What the administration answers (infra/local/README.md)."""
        with urllib.request.urlopen(urllib.request.Request(self.admin + path, method=method), timeout=120) as answer:
            return json.load(answer)

    def settle(self) -> None:
        """Waits until every instance waits for its next event, stopped: nothing is under way then, and all is counted."""
        self.until("settled", lambda: all(instance["state"] == "frozen" for instance in self.ask("/_instances")))

    def recycle(self) -> None:
        """Ends every process, so that the next request starts one."""
        self.settle()
        self.ask("/_instances/recycle", "POST")
        self.until("without instances", lambda: not self.ask("/_instances"))

    def until(self, what: str, true) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while not true():
            if time.monotonic() > deadline:
                raise Failed(f"lambda-local was not {what} after {SETTLE_SECONDS} s: {self.ask('/_instances')}")


@contextlib.contextmanager
def running(front: str = "function-url") -> Iterator[Deployment]:
    """Requests come one at a time: one instance, started by the first of them, stays until it is recycled. `front` is the
    template's parameter; with a function URL every request reaches the function."""
    program, bootstrap = binary("BERTH_LAMBDA_LOCAL", "lambda-local"), binary("BERTH_BOOTSTRAP", "bootstrap")
    command = [program, "--addr", "127.0.0.1:0", "--bootstrap", bootstrap, "--instances", "1"]
    command += ["--template", ROOT / "template.yaml", "--front", front]
    for cost, hashed in HASHES.items():
        command += ["--user", f"{user(cost)}:{hashed}"]
    # Neither the developer's account nor their settings are part of what is measured.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "REGISTRY_"))}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield _announced(process, log, bootstrap)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def _announced(process: subprocess.Popen, log, bootstrap: Path) -> Deployment:
    """lambda-local prints where it listens once it does: registry, login, admin."""
    said = {}
    for line in process.stdout:
        name, _, value = line.strip().partition(" ")
        said[name] = value.strip()
        if name == "admin":
            return Deployment(said["registry"], said["admin"], bootstrap)
    log.seek(0)
    raise Failed(f"lambda-local did not start:\n{log.read()}")


def binary(variable: str, name: str) -> Path:
    """The release build, unless a variable names another."""
    path = Path(os.environ.get(variable) or TARGET / "release" / name).resolve()
    if not path.is_file():
        raise Failed(f"no {name} at {path}: build it (cargo build --release), or name one in {variable}")
    return path


def user(cost: int) -> str:
    return f"cost{cost}"


def authorization(cost: int = 5) -> str:
    """The header, at the token service, of the user whose password is hashed at this cost."""
    return "Basic " + base64.b64encode(f"{user(cost)}:{PASSWORD}".encode()).decode()


def bearer(host: str, repository: str) -> str:
    """The header of whoever got a token to push to a repository and to pull from it."""
    request = urllib.request.Request(f"http://{host}{token_path(repository)}", headers={"Authorization": authorization()})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return f"Bearer {json.load(answer)['token']}"


def token_path(repository: str) -> str:
    return f"/token?scope=repository:{repository}:pull,push"
