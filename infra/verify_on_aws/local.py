"""The local stack (`lambda-local`) as a deployment to check; whether the observations are what it was told to play."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from .assumptions import CLOUDFRONT
from .findings import HIDDEN, Finding
from .programs import ROOT
from .s3 import Credentials
from .session import Target

START_SECONDS = 60
LOGIN = re.compile(r"^login +echo (\S+) \| docker login -u (\S+) ", re.MULTILINE)
REGION = "us-east-1"


class CannotStart(Exception):
    """lambda-local did not start; the message has the end of what it printed."""


def field(printed: str, name: str) -> str:
    found = re.search(rf"^{name} +(\S.*)$", printed, re.MULTILINE)
    return found.group(1) if found else ""


def said_everything(printed: str, front: str) -> bool:
    last = "function-url" if front == CLOUDFRONT else "issuer"
    return bool(re.search(rf"^{last} +\S+.*\n", printed, re.MULTILINE))


@contextlib.contextmanager
def started(program: str, front: str, combination: dict) -> Iterator[tuple]:
    """Yields the target and its S3 credentials; everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        log = Path(folder) / "log"
        assume = [word for name, value in combination.items() for word in ("--assume", f"{name}={value}")]
        # One instance: then a burst of requests meets a busy one.
        command = [
            program,
            "--addr",
            "127.0.0.1:0",
            "--template",
            str(ROOT / "template.yaml"),
            "--front",
            front,
            "--instances",
            "1",
            "--folder",
            folder,
            *assume,
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "AWS_"))}
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        try:
            yield target(process, log, front)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def target(process: subprocess.Popen, log: Path, front: str) -> tuple:
    until = time.monotonic() + START_SECONDS
    while not said_everything(printed := log.read_text(errors="replace"), front):
        if process.poll() is not None or time.monotonic() > until:
            raise CannotStart(f"lambda-local did not start: {printed[-600:].strip()}")
        time.sleep(0.02)
    password, user = LOGIN.search(printed).groups()
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        field(printed, "admin") + "/_env", timeout=30
    ) as said:
        env = json.load(said)
    aws = dict(word.split("=", 1) for word in field(printed, "aws").partition(" berth login")[0].split())
    found = Target(
        front=front,
        host=field(printed, "registry"),
        user=user,
        password=password,
        local=True,
        admin=field(printed, "admin"),
        bucket="berth",
        region=REGION,
        function_url=field(printed, "function-url").partition("://")[2],
        s3=env["AWS_ENDPOINT_URL_S3"],
        aws_environment={**aws, "AWS_REGION": REGION},
    )
    return found, Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])


# Observations that depend on another assumption: (front, check) -> when they cannot be made.
HIDDEN_WHEN = {
    # CloudFront's function lets no declared length above 4 MiB through, so these send none.
    (CLOUDFRONT, "bodies"): lambda played: played["chunked-requests"] == "refused",
    (CLOUDFRONT, "event-limit"): lambda played: played["chunked-requests"] == "refused",
    (CLOUDFRONT, "edge-sees"): lambda played: played["viewer-response-runs"] == "no",
    (CLOUDFRONT, "edge-commit"): lambda played: played["viewer-response-runs"] == "no",
    (CLOUDFRONT, "remembered-404"): lambda played: played["viewer-response-runs"] == "no",
}
# What does not work for an unfavourable value, as its consequence states: (front, check) -> when.
FAILS_WHEN = {
    (CLOUDFRONT, "origin-challenge"): lambda played: played["viewer-response-runs"] == "no",
    (CLOUDFRONT, "edge-put"): lambda played: played["viewer-response-runs"] == "no",
    (CLOUDFRONT, "slow-sender"): lambda played: played["viewer-response-runs"] == "no",
    (CLOUDFRONT, "range"): lambda played: played["viewer-response-runs"] == "no"
    and played["range-header"] == "renamed",
}


def never(played: dict) -> bool:
    return False


def wrong(finding: Finding, played: dict, defaults: dict) -> str:
    """Why a finding is not what the local stack was told to play; nothing when it is."""
    everything = {**defaults, **played}
    place = (finding.front, finding.check)
    may_hide, may_fail = HIDDEN_WHEN.get(place, never)(everything), FAILS_WHEN.get(place, never)(everything)
    seen = f"{finding.check}: {finding.observation}"
    if finding.assumption:
        if finding.value == HIDDEN:
            return "" if may_hide else seen
        if finding.value != everything[finding.assumption]:
            return f"{seen}; played {finding.assumption}={everything[finding.assumption]}"
        if may_hide:
            return f"{seen}; expected to be hidden"
    if not finding.ok and not may_fail:
        return f"{seen}; expected to work"
    if finding.ok and may_fail and finding.value != HIDDEN:
        return f"{seen}; expected to fail"
    return ""
