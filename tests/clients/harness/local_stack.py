"""The local Lambda: what template.yaml deploys, on loopback, with emulated S3, DynamoDB and STS, and an issuer."""

import contextlib
import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path

from .failure import equal, require
from .process import Daemon, environment
from .registry import Registry
from .server import REPOSITORY_ROOT, berth

INSTANCES = 4
# The template's parameter `Front`: what clients reach. The first is the template's default.
FRONTS = ("cloudfront", "http-api", "function-url")

# What it prints once it serves. The user is its own, with a password that nobody else knows, unless it was given one.
PRINTED = re.compile(
    r"^registry +(\S+)\nlogin +(?:echo (\S+) \| )?docker login -u (\S+) .*\nadmin +(\S+)\n"
    r"aws +(.+) berth login \S+\nissuer +(\S+) (\S+)\n", re.MULTILINE,
)


class LocalStack:
    def __init__(self, daemon: Daemon, printed: re.Match, password: str | None):
        self.daemon = daemon
        self.host, self.password, self.user, self.admin, aws, self.issuer, self.audience = printed.groups()
        self.password = password or self.password
        # Credentials of a role, in the environment of whoever has them.
        self.aws = dict(word.split("=", 1) for word in aws.split())

    @property
    def function_url(self) -> str:
        """With CloudFront in front, the function URL behind it."""
        return re.search(r"^function-url +(\S+)$", self.daemon.log.read_text(errors="replace"), re.MULTILINE).group(1)

    def registry(self, password: str | None = None) -> Registry:
        """Its API, for its user."""
        return Registry(self.host, self.daemon.output, (self.user, password or self.password))

    def ask(self, path: str, method: str = "GET", body: dict | None = None):
        """What its other door, for those who run it, answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        data = None if body is None else json.dumps(body).encode()
        with opener.open(urllib.request.Request(self.admin + path, data, method=method), timeout=60) as answer:
            return json.load(answer)

    def instances(self) -> list[dict]:
        return self.ask("/_instances")

    def who_changed(self, repository: str) -> set[str]:
        """The callers of requests that stored something in the repository, by the registry's log."""
        path = f"/v2/{repository}/"
        told = [json.loads(line.partition("] ")[2]) for line in self.daemon.log.read_text(errors="replace").splitlines()
                if f'"path":"{path}' in line]
        return {line["user"] for line in told if line["method"] not in ("GET", "HEAD") and line["status"] < 300}

    def nothing_amiss(self) -> str:
        """Nothing that was asked of it went past the role, without an answer, or into a panic."""
        equal("requests that a role does not allow", self.ask("/_denied"), [])
        counters = self.ask("/_function")
        equal("requests without an answer", counters["errors"], 0)
        require("panicked at" not in self.daemon.log.read_text(errors="replace"), f"panicked: {self.daemon.output()}")
        return f"{counters['invocations']} requests, none denied or unanswered"


def binary() -> Path:
    return Path(os.environ.get("BERTH_LAMBDA_LOCAL") or REPOSITORY_ROOT / "target/debug/lambda-local").resolve()


def assumptions() -> list[dict]:
    """What AWS is observed, documented or assumed to do, as lambda-local lists it: `name`, `values`, `default`, `evidence`,
    `about`."""
    told = subprocess.run([binary(), "--assumptions"], capture_output=True, text=True)
    require(told.returncode == 0, f"lambda-local --assumptions: {told.stderr}")
    return json.loads(told.stdout)


@contextlib.contextmanager
def local_stack(folder: Path, *options: str, front: str = FRONTS[0], assume: tuple[str, ...] = (), password: str | None = None,
                instances: int = INSTANCES):
    """Yields a deployment that answers, with `instances` that are stopped between requests; any of them takes a request.

    `front` is the template's parameter, `assume` holds NAME=VALUE in place of an assumption's default, `options` are further
    ones of lambda-local, and `password` is that of the first user among them."""
    require(os.access(binary(), os.X_OK), f"no {binary()}: build it, or name another by BERTH_LAMBDA_LOCAL")
    argv = [binary(), "--addr", "127.0.0.1:0", "--random", "--instances", str(instances), "--folder", folder]
    # A deployment that was written down has its front end in it.
    argv += [] if "--deployment" in options else ["--template", REPOSITORY_ROOT / "template.yaml", "--front", front]
    argv += [word for assumption in assume for word in ("--assume", assumption)]
    argv += options
    daemon = Daemon("lambda-local", argv, environment(folder), folder / "lambda-local.log")
    try:
        daemon.until(lambda: PRINTED.search(daemon.log.read_text(errors="replace")), "it prints where it serves")
        yield LocalStack(daemon, PRINTED.search(daemon.log.read_text(errors="replace")), password)
    finally:
        exit_code = daemon.stop()
    equal("exit code of lambda-local after SIGTERM", exit_code, 0)


@contextlib.contextmanager
def server_beside(stack: LocalStack, folder: Path):
    """Yields a `berth serve` on the stack's bucket and table: a way to place what is too large for the door."""
    with berth(folder, None, storage_settings(stack)) as registry:
        yield registry


def storage_settings(stack: LocalStack) -> dict[str, str]:
    """The environment in which Berth's programs find the stack's bucket and table, as those who run it do."""
    told = stack.ask("/_env")
    return told | {
        "REGISTRY_STORAGE": "s3",
        "REGISTRY_STORAGE_S3_BUCKET": "berth",
        "REGISTRY_STORAGE_S3_REGION": told["AWS_REGION"],
        "REGISTRY_STORAGE_S3_REGIONENDPOINT": told["AWS_ENDPOINT_URL_S3"],
        "REGISTRY_STORAGE_S3_FORCEPATHSTYLE": "true",
        "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR": "dynamodb",
        "REGISTRY_DYNAMODB_TABLE": "berth",
    }
