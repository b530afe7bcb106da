"""The commands of docs/install.md: the AWS CLI deploys what `make package` has made, into an emulated AWS."""

import base64
import hashlib
import logging
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

logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's server has a line for each request

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
        _, port = server.get_host_and_port()
        endpoint = f"http://localhost:{port}"  # by this name moto knows URLs of templates in its own buckets
        with report.around("deploy"), tempfile.TemporaryDirectory(prefix="berth-") as folder:
            # moto cannot update a stack with conditions by a change set, and has no outputs of one that is made so.
            report.run("deploy", {
                "the commands of docs/install.md deploy it": lambda: deploy(Path(folder), endpoint),
                "every function has the code of the zip": lambda: code(endpoint),
            })
    finally:
        server.stop()


def blocks() -> list[str]:
    """What the section has one type: what makes the bucket, and what deploys. The names that they set are the test's."""
    text = DOCUMENT.read_text()
    section = text[text.index(SECTION):].split("\n## ")[0]
    found = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    equal("blocks of commands", len(found), 2)
    return [re.sub(r"^[A-Z]+=.*\n", "", block, flags=re.MULTILINE) for block in found]


def version() -> str:
    return re.search(r"^# Berth (\S+)\. ", (function.FOLDER / "berth-template.yaml").read_text(), re.MULTILINE).group(1)


def aws(commands: str, folder: Path, endpoint: str, **names: str) -> str:
    """Runs them beside the released files. moto is asked in AWS's place."""
    variables = tools.environment() | NAMES | names | {
        "PATH": lint.PATH, "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "HOME": str(folder),
    }
    said = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=folder, env=variables,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    require(said.returncode == 0, said.stdout)
    return said.stdout


def architecture() -> str:
    [first, *_] = function.made()
    return first.stem.removeprefix("berth-lambda-")


def deploy(folder: Path, endpoint: str) -> None:
    for file in function.FOLDER.iterdir():
        shutil.copy(file, folder)
    said = aws("\n".join(blocks()), folder, endpoint, VERSION=version(), ARCHITECTURE=architecture())
    require("Successfully created/updated stack - berth" in said, said)


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
