"""The commands of docs/install.md: the AWS CLI deploys what `make package` has made, into an emulated AWS."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

import function
import lacking  # noqa: F401  moto finds its classes by their being there
import lint
import tools
from harness import tool
from report import Report, equal, require

DOCUMENT = tools.ROOT / "docs" / "install.md"
SECTION = "## Deploy with the AWS CLI"
REGION = "eu-central-1"
NAMES = {"BUCKET": "berth-code-of-tests", "REGION": REGION}


def run(report: Report) -> None:
    if tool.version("package") is None:
        report.missing("deploy", "run tests/clients/install package")
        return
    if not function.made():
        report.missing("deploy", f"no zip in {function.FOLDER}: the part `function` makes it")
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        with report.around("deploy"), tempfile.TemporaryDirectory(prefix="berth-") as folder:
            said: list[str] = []
            report.run("deploy", {"the documented commands deploy it": lambda: said.append(deploy(Path(folder), endpoint))})
            if said:
                report.run("deploy", {
                    "they print where the registry is": lambda: printed(said[0]),
                    "every function has the code of the zip": lambda: code(endpoint),
                    "a later version, by the same commands, is an update": lambda: update(Path(folder), endpoint),
                })
    finally:
        server.stop()


def commands() -> str:
    """The first block of the section, without its first lines, which set names."""
    text = DOCUMENT.read_text()
    require(SECTION in text, f"{DOCUMENT.name} has no section {SECTION}")
    block = re.search(r"```sh\n(.*?)```", text[text.index(SECTION):], re.DOTALL).group(1)
    return re.sub(r"^[A-Z]+=.*\n", "", block, flags=re.MULTILINE)


def version() -> str:
    return re.search(r"^# Berth (\S+)\. ", (function.FOLDER / "berth-template.yaml").read_text(), re.MULTILINE).group(1)


def aws(folder: Path, endpoint: str, **names: str) -> str:
    """Runs the commands beside the released files. moto is asked in AWS's place."""
    variables = tools.environment() | NAMES | names | {
        "PATH": lint.PATH, "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "HOME": str(folder),
    }
    said = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands()], cwd=folder, env=variables,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    require(said.returncode == 0, said.stdout)
    return said.stdout


def architecture() -> str:
    [first, *_] = function.made()
    return first.stem.removeprefix("berth-lambda-")


def deploy(folder: Path, endpoint: str) -> str:
    for file in function.FOLDER.iterdir():
        shutil.copy(file, folder)
    return aws(folder, endpoint, VERSION=version(), ARCHITECTURE=architecture())


def printed(said: str) -> str:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack_of(endpoint_said(said))}
    require("RegistryHost" in outputs, said)
    return outputs["RegistryHost"]


def endpoint_said(said: str) -> str:
    """The list of outputs that the last command prints."""
    return said[said.index("["):]


def stack_of(text: str) -> list[dict]:
    return json.loads(text)


def code(endpoint: str) -> str:
    content = (function.FOLDER / f"berth-lambda-{architecture()}.zip").read_bytes()
    expected = base64.b64encode(hashlib.sha256(content).digest()).decode()
    client = boto3.client("lambda", region_name=REGION, endpoint_url=endpoint)
    found = client.list_functions()["Functions"]
    require(len(found) >= 2, f"{len(found)} functions")
    for each in found:
        equal(f"code of {each['FunctionName']}", each["CodeSha256"], expected)
        equal(f"processor of {each['FunctionName']}", each["Architectures"], [architecture()])
    return ", ".join(sorted(each["Handler"] for each in found))


def update(folder: Path, endpoint: str) -> None:
    """The same files under the name of another version: the key of the code is another."""
    template = folder / "berth-template.yaml"
    template.write_text(template.read_text().replace(version(), "v9.9.9"))
    aws(folder, endpoint, VERSION="v9.9.9", ARCHITECTURE=architecture())
    client = boto3.client("cloudformation", region_name=REGION, endpoint_url=endpoint)
    [stack] = client.describe_stacks()["Stacks"]
    equal("status", stack["StackStatus"], "UPDATE_COMPLETE")
