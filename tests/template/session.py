"""`sam build && sam deploy` as a person runs it: real SAM in a pseudo-terminal, with an emulated CloudFormation.

moto's server stands for AWS on the loopback interface. It lacks the SAM transform, which is applied here when a change set
names its template. In place of cargo there is a script that leaves a file for the binary.
"""

import contextlib
import json
import logging
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from moto.cloudformation import responses
from moto.cloudformation.models import ChangeSet
from moto.moto_api._internal import moto_api_backend
from moto.s3.models import S3Backend, s3_backends
from moto.server import ThreadedMotoServer
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

import lacking  # noqa: F401  moto finds its classes by their being there
import stack
import tools
from default import session as expected_session
from report import Failure, Report, equal, require

REGION = "us-east-1"
SHIPPED = ("template.yaml", "samconfig.toml", "Cargo.toml", "Cargo.lock")
CARGO = """#!/bin/sh
mkdir -p target/lambda/bootstrap && printf binary >target/lambda/bootstrap/bootstrap
"""
# How SAM's questions end: with the default, or with the answers.
QUESTION = re.compile(r"\]: ?$")
# A question that nobody answers is known by this only if SAM words it in a way that is not known here.
PATIENCE = 180

logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request

_sent: list[dict[str, dict]] = []


def run(report: Report) -> None:
    with report.around("session"), emulated() as client, checkout() as folder:
        report.run("session", {
            "sam build and sam deploy ask nothing": lambda: unasked(folder),
            "they end with a first session": lambda: outputs(client),
            "another deployment changes nothing and asks nothing": lambda: again(folder),
            "--parameter-overrides changes what it names": lambda: overrides(folder, client),
            "a later deployment without it keeps that": lambda: kept(folder, client),
        })
    with report.around("session"), emulated() as client, checkout() as folder:
        report.run("session", {
            "sam deploy --guided takes Enter for every answer": lambda: guided(folder, client),
        })


@contextlib.contextmanager
def emulated() -> Iterator:
    """An empty account, at the endpoint that the environment names to SAM."""
    moto_api_backend.reset()
    _sent.clear()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with _patched(responses, "get_stack_from_s3_url", _translated), _patched(
        responses.CloudFormationResponse, "create_change_set", _recorded(responses.CloudFormationResponse.create_change_set)
    ), _patched(ChangeSet, "apply", _applied(ChangeSet.apply)), _patched(S3Backend, "put_bucket_policy", _no_policy):
        server.start()
        host, port = server.get_host_and_port()
        os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
        try:
            yield boto3.client("cloudformation", region_name=REGION)
        finally:
            del os.environ["AWS_ENDPOINT_URL"]
            server.stop()


@contextlib.contextmanager
def _patched(owner, name: str, value) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _recorded(create):
    def create_change_set(self):
        given = self._get_param("Parameters", [])
        if self._get_param("StackName") == stack.NAME:
            _sent.append({parameter["ParameterKey"]: parameter for parameter in given})
        return create(self)

    return create_change_set


def _applied(apply):
    """moto forgets the outputs and the parameters of a stack that a change set makes, and cannot update this one's
    resources. Of an update, only the parameters are of interest here."""

    def applied(self) -> None:
        if self.change_set_type == "CREATE":
            apply(self)
        known = self.stack.resource_map.resolved_parameters
        known.update(self.parameters)
        self.stack.parameters = {name: value for name, value in known.items() if not name.startswith("AWS::")}
        self.stack.template = self.template
        self.stack._parse_template()
        self.stack.output_map = self.stack._create_output_map()

    return applied


def _no_policy(self, bucket_name: str, policy: bytes) -> None:
    """moto would refuse every request without TLS, whatever the condition of a statement says."""


def _translated(template_url: str, account_id: str, partition: str) -> str:
    bucket, _, key = urlsplit(template_url).path.lstrip("/").partition("/")
    body = s3_backends[account_id][partition].get_object(bucket, key).value.decode()
    source = stack.yaml.safe_load(body)
    source.pop("Transform", None)
    defaults = {name: parameter["Default"] for name, parameter in source["Parameters"].items()}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    return json.dumps(translator.translate(source, defaults))


@contextlib.contextmanager
def checkout() -> Iterator[Path]:
    """What `sam` reads of the repository, and an environment without anybody's settings."""
    with tempfile.TemporaryDirectory(prefix="berth-") as name:
        folder = Path(name, "berth")
        folder.mkdir()
        for file in SHIPPED:
            shutil.copy(tools.ROOT / file, folder)
        cargo = Path(name, "bin", "cargo")
        cargo.parent.mkdir()
        cargo.write_text(CARGO)
        cargo.chmod(0o755)
        yield folder


def sam(folder: Path, *arguments: str, enter: bool = False) -> tuple[str, int]:
    """Runs `sam` in a terminal. Returns what it printed, and how often it asked. Fails unless it succeeds; without
    `enter`, also where it asks."""
    home = folder.parent
    environment = tools.environment() | {"HOME": str(home), "TERM": "dumb", "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"]}
    environment["PATH"] = f"{home / 'bin'}{os.pathsep}{environment['PATH']}"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(["sam", *arguments], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
                               start_new_session=True)
    os.close(theirs)
    printed, asked, deadline = "", 0, time.monotonic() + PATIENCE
    try:
        while True:
            if not select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failure(f"sam {' '.join(arguments)} does not go on after:\n{printed}")
            try:
                piece = os.read(ours, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not piece:
                break
            printed += piece.decode(errors="replace")
            if QUESTION.search(printed):
                asked += 1
                require(enter, f"sam {' '.join(arguments)} asks:\n{printed[-400:]}")
                require(asked <= 100, f"it asks again and again:\n{printed[-400:]}")
                os.write(ours, b"\r")
    finally:
        if process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(ours)
    require(process.returncode == 0, f"sam {' '.join(arguments)} ended with {process.returncode}:\n{printed}")
    return printed, asked


def unasked(folder: Path) -> None:
    sam(folder, "build")
    printed, _ = sam(folder, "deploy")
    require("Successfully created/updated stack - berth" in printed, printed)
    equal("samconfig.toml", (folder / "samconfig.toml").read_bytes(), (tools.ROOT / "samconfig.toml").read_bytes())


def described(client) -> dict:
    (found,) = client.describe_stacks(StackName=stack.NAME)["Stacks"]
    return found


def values(client) -> dict[str, str]:
    return {p["ParameterKey"]: p["ParameterValue"] for p in described(client)["Parameters"]}


def outputs(client) -> str:
    found = {output["OutputKey"]: output["OutputValue"] for output in described(client)["Outputs"]}
    session = expected_session(found["RegistryHost"])
    equal("outputs", {name: found.get(name) for name in session}, session)
    return found["PushCommand"]


def again(folder: Path) -> None:
    printed, _ = sam(folder, "deploy")
    require("No changes to deploy" in printed, printed)


RULES = "allow anonymous to pull on **"


def overrides(folder: Path, client) -> None:
    sam(folder, "deploy", "--parameter-overrides", f"Rules='{RULES}'", "LogLevel=debug")
    new = {name: p["ParameterValue"] for name, p in _sent[-1].items() if "ParameterValue" in p}
    equal("values sent", new, {"Rules": RULES, "LogLevel": "debug"})
    equal("Rules", values(client)["Rules"], RULES)


def kept(folder: Path, client) -> None:
    """As the runbook's "Upgrade" does."""
    sam(folder, "deploy")
    new = {name: p["ParameterValue"] for name, p in _sent[-1].items() if "ParameterValue" in p}
    equal("values sent", new, {})
    sam(folder, "deploy", "--parameter-overrides", "LogLevel=info")
    after = values(client)
    equal("Rules and LogLevel", (after["Rules"], after["LogLevel"]), (RULES, "info"))


def guided(folder: Path, client) -> str:
    sam(folder, "build")
    printed, asked = sam(folder, "deploy", "--guided", enter=True)
    require("Successfully created/updated stack - berth" in printed, printed)
    require("authentication" not in printed.lower().partition("deploying with")[0].partition("parameter users")[0], printed)
    defaults = {name: str(parameter["Default"]) for name, parameter in stack.template()["Parameters"].items()}
    equal("parameters", values(client), defaults)
    return f"{asked} questions"
