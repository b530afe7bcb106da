"""The `aws` and `sam` command lines. Credentials, profile and configuration are the caller's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from typing import Optional

from .s3 import Credentials


class CommandFailed(Exception):
    """A command line ended with an error. `said` is what it printed."""

    def __init__(self, argv: list, code: int, said: str):
        self.argv, self.code, self.said = argv, code, said.strip()
        command = " ".join(word for word in argv[:3] if not word.startswith("-"))
        super().__init__(f"{command}: exit code {code}: {' '.join(self.said.split())[-400:]}")

    def is_about(self, *texts: str) -> bool:
        return any(text.lower() in self.said.lower() for text in texts)


class Missing(Exception):
    """A program is not in PATH."""


def run(argv: list, uninterrupted: bool = False, cwd: Optional[str] = None) -> str:
    """Standard output. `uninterrupted`: no ctrl-C, SIGTERM or SIGHUP reaches the program, not even while it starts."""
    environment = {**os.environ, "AWS_PAGER": "", "SAM_CLI_TELEMETRY": "0"}
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} if uninterrupted else set()
    )
    try:
        process = subprocess.Popen(  # which inherits the mask
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=cwd,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with process:
        try:
            out, err = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise CommandFailed(argv, process.returncode, err + out)
    return out


class Aws:
    """`aws`, in one region. `alone`: ctrl-C does not interrupt a command, for deletions."""

    def __init__(self, region: str = "", alone: bool = False):
        if not shutil.which("aws"):
            raise Missing("no aws in PATH: install the AWS CLI 2.16 or later")
        # --deletion-mode of delete-stack, and export-credentials.
        version = run(["aws", "--version"])
        known = re.match(r"aws-cli/(\d+)\.(\d+)", version)
        if not known or (int(known[1]), int(known[2])) < (2, 16):
            raise Missing(f"{version.split()[0] if version else 'aws'} is too old: install the AWS CLI 2.16 or later")
        self.region, self.alone = region, alone

    def text(self, *argv: str, region: str = "") -> str:
        where = region or self.region
        command = ["aws", *argv, *(["--region", where] if where else []), "--output", "json"]
        return run(command, self.alone)

    def json(self, *argv: str, region: str = "") -> dict:
        """The response as the AWS CLI prints it; an empty one where it prints nothing."""
        said = self.text(*argv, region=region)
        return json.loads(said) if said.strip() else {}

    def uninterrupted(self) -> "Aws":
        return Aws(self.region, alone=True)

    def caller(self) -> tuple:
        """(account, ARN) of the credentials."""
        caller = self.json("sts", "get-caller-identity")
        return caller["Account"], caller["Arn"]

    def credentials(self) -> Credentials:
        """Access keys, for signing requests. `export-credentials` is of version 2 of the AWS CLI."""
        named = os.environ.get
        if named("AWS_ACCESS_KEY_ID") and named("AWS_SECRET_ACCESS_KEY"):
            token = named("AWS_SESSION_TOKEN") or ""
            return Credentials(named("AWS_ACCESS_KEY_ID"), named("AWS_SECRET_ACCESS_KEY"), token)
        told = json.loads(run(["aws", "configure", "export-credentials", "--format", "process"]))
        return Credentials(told["AccessKeyId"], told["SecretAccessKey"], told.get("SessionToken") or "")


def configured_region() -> str:
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if named:
        return named
    try:
        return run(["aws", "configure", "get", "region"]).strip()
    except CommandFailed:
        return ""


class Sam:
    """`sam`, without any configuration file of this folder."""

    def __init__(self, region: str, folder: str):
        if not shutil.which("sam"):
            raise Missing("no sam in PATH: install the AWS SAM CLI 1.156 or later, and cargo-lambda")
        self.region, self.folder = region, folder
        self.configuration = os.path.join(folder, "samconfig.toml")
        with open(self.configuration, "w") as file:
            file.write("version = 0.1\n")

    def build(self, template: str, parameters: dict) -> str:
        """Builds once for all deployments; returns the built template."""
        target = os.path.join(self.folder, "build")
        run(
            [
                "sam",
                "build",
                "--template-file",
                template,
                "--build-dir",
                target,
                "--config-file",
                self.configuration,
                *overrides(parameters),
            ],
            cwd=os.path.dirname(template),
        )
        return os.path.join(target, "template.yaml")

    def deploy(self, built: str, stack: str, bucket: str, parameters: dict) -> None:
        """Creates a stack; its code goes to `bucket`, below the stack's name."""
        run(
            [
                "sam",
                "deploy",
                "--template-file",
                built,
                "--stack-name",
                stack,
                "--s3-bucket",
                bucket,
                "--s3-prefix",
                stack,
                "--region",
                self.region,
                "--config-file",
                self.configuration,
                "--capabilities",
                "CAPABILITY_IAM",
                "--no-confirm-changeset",
                "--no-fail-on-empty-changeset",
                "--no-progressbar",
                *overrides(parameters),
            ]
        )


def overrides(parameters: dict) -> list:
    """A parameter's value may hold spaces: SAM takes it in quotes."""
    return (
        [
            "--parameter-overrides",
            *(f'{name}="{value}"' if " " in value else f"{name}={value}" for name, value in parameters.items()),
        ]
        if parameters
        else []
    )
