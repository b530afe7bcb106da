"""The two registries that are compared, over one emulated S3: Berth as Lambda runs it, distribution as a container runs it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from client import Client
from deployment import HASHES, Deployment, user
from prices import Prices
from registries import ROOT, Failed, free_port
from usage import Usage

START_SECONDS = 10
ACCESS_LINE = '"target":"access"'  # one for each request, when its last byte has left


@dataclass(frozen=True)
class Spent:
    """What a registry has used so far, beside its requests to AWS."""

    invocations: int = 0
    billed_ms: int = 0
    log_bytes: int = 0


# How the tables call Berth behind each front end; the first is the template's default.
FRONTS = {"cloudfront": "Berth", "http-api": "Berth, HTTP API", "function-url": "Berth, function URL"}


class Berth:
    def __init__(self, deployment: Deployment, front: str):
        self.deployment, self.host, self.front, self.name = deployment, deployment.host, front, FRONTS[front]

    def begin(self) -> None:
        if self.front == "cloudfront":
            self.deployment.ask("/_edge", "DELETE")

    def add_front(self, usage: Usage, client: Client, prices: Prices) -> None:
        """What the front end is paid for what the client did since `begin`."""
        if self.front == "cloudfront":
            usage.add_cloudfront(self.deployment.ask("/_edge"), client.out)
        elif self.front == "http-api":
            usage.add_http_api(client.bodies, prices)

    def restart(self) -> None:
        self.deployment.recycle()

    def spent(self) -> Spent:
        """Once nothing is under way, and every line that was written has been read."""
        self.deployment.settle()
        counters = self.deployment.ask("/_function")

        def lines() -> list[str]:
            return [line["text"] for line in self.deployment.ask("/_logs")]

        invocations = counters["invocations"]
        self.deployment.until("done logging", lambda: sum(ACCESS_LINE in line for line in lines()) == invocations)
        return Spent(invocations, counters["billed_ms"], sum(len(line.encode()) + 1 for line in lines()))


class Distribution:
    """Configured as its documentation has it for S3: the cache in memory, blobs by redirect, lines for each request."""

    name = "distribution 3.1"
    front = None  # a load balancer, which is paid by the hour

    def __init__(self, deployment: Deployment, folder: Path):
        self.host = f"127.0.0.1:{free_port()}"
        self.log, self.configuration = folder / "log", folder / "config.yml"
        self.logged = 0  # bytes of the processes before this one
        emulated = deployment.ask("/_env")
        # The one bucket there is: Berth has used it before.
        bucket = next(request["bucket"] for request in deployment.ask("/_requests") if request["bucket"])
        # AWS_CA_BUNDLE would have its SDK distrust S3; of the developer's own account nothing is used.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "REGISTRY_"))}
        self.environment |= {k: v for k, v in emulated.items() if k.startswith("AWS_") and "ENDPOINT" not in k}
        self.environment |= {"OTEL_TRACES_EXPORTER": "none"}
        users = folder / "htpasswd"
        users.write_text("".join(f"{user(cost)}:{hashed}\n" for cost, hashed in HASHES.items()))
        self.configuration.write_text(json.dumps(self._settings(emulated, bucket, users), indent=2))  # JSON is YAML
        self.process = None

    def _settings(self, emulated: dict, bucket: str, users: Path) -> dict:
        s3 = {
            "bucket": bucket,
            "region": emulated["AWS_REGION"],
            "regionendpoint": emulated["AWS_ENDPOINT_URL_S3"],
            "forcepathstyle": True,
            "rootdirectory": "/distribution",
        }
        return {
            "version": 0.1,
            "storage": {"s3": s3, "cache": {"blobdescriptor": "inmemory"}, "delete": {"enabled": True}},
            "auth": {"htpasswd": {"realm": "cost", "path": str(users)}},
            "http": {"addr": self.host},
        }

    def begin(self) -> None:
        pass

    def add_front(self, usage: Usage, client: Client, prices: Prices) -> None:
        pass

    def restart(self) -> None:
        self.stop()
        with open(self.log, "wb") as log:
            command = [distribution_binary(), "serve", self.configuration]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        _wait(self)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.logged += self.log.stat().st_size
            self.process = None

    def spent(self) -> Spent:
        """It is always on: its time is not counted."""
        return Spent(log_bytes=self.logged + self.log.stat().st_size)


def distribution_binary() -> Path | None:
    clients = Path(os.environ.get("BERTH_CLIENTS_DIR") or ROOT / ".clients")
    binary = clients / "bin" / "registry"
    return binary if binary.is_file() else None


def _wait(side: Distribution) -> None:
    """A process says that it listens in its log, which asks no request of S3."""
    for _ in range(START_SECONDS * 100):
        said = side.log.read_text(errors="replace")
        if "listening on" in said:
            return
        try:
            # The pause between two looks is itself a wait: for the process to end.
            side.process.wait(0.01)
            break
        except subprocess.TimeoutExpired:
            pass
    raise Failed(f"{side.name} did not start:\n{side.log.read_text(errors='replace')}")
