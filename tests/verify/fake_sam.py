"""The fake SAM CLI. Where FAKE_LAMBDA_LOCAL names the program, a deployed stack answers: it is a local stack."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import state

UNVERIFIED = (
    "Resource handler returned message: \"Access denied for operation 'AWS::CloudFront::Distribution: Your account "
    "must be verified before you can add new CloudFront resources. To verify it, please contact AWS Support'\""
)


def main(argv: list) -> int:
    asked = state.options(argv)
    with state.opened() as account:
        account["calls"].append(["sam", *argv])
    if argv[0] == "build":
        if reason := state.fault("build"):
            print(f"Build Failed\nError: {reason}", file=sys.stderr)
            return 1
        folder = Path(asked["build-dir"])
        folder.mkdir()
        (folder / "template.yaml").write_text("built")
        return 0
    return deploy(asked)


def deploy(asked: dict) -> int:
    name = asked["stack-name"]
    parameters = dict(re.findall(r'^(\w+)="?(.*?)"?$', asked["parameter-overrides"], re.MULTILINE))
    front = parameters["Front"]
    how = state.fault(f"deploy:{front}")
    stack = {
        "StackName": name,
        "StackId": f"arn:aws:cloudformation:us-east-1:{state.ACCOUNT}:stack/{name}/1",
        "StackStatus": "CREATE_IN_PROGRESS",
        "resources": resources(name, front),
        "parameters": parameters,
    }
    with state.opened() as account:
        assert asked["s3-bucket"] in account["buckets"], "the code has no bucket"
        account["stacks"][name] = stack
        # Several pages of versions, and an upload that nobody finished.
        account["buckets"][f"{name}-bucket"] = {
            "objects": [f"key{i}" for i in range(1500)] + ["gone1"],
            "uploads": ["half"],
        }
        account["logs"]["us-east-1"] += [f"/aws/lambda/{name}-registry", f"/aws/lambda/{name}-RegistryFunction-X1"]
        if front == "cloudfront":
            account["logs"]["us-east-1"].append("/aws/cloudfront/function/uuid-of-" + name)
    if how == "hangs":
        while True:
            time.sleep(3600)
    if how:
        reason = UNVERIFIED if how == "unverified" else how
        with state.opened() as account:
            account["stacks"][name] |= {"StackStatus": "ROLLBACK_COMPLETE", "events": events(reason)}
            del account["buckets"][f"{name}-bucket"]  # DeletionPolicy RetainExceptOnCreate
            for resource in account["stacks"][name]["resources"]:
                resource["ResourceStatus"] = "DELETE_COMPLETE"
        print(f"Error: Failed to create/update the stack: {name}, Waiter StackCreateComplete failed", file=sys.stderr)
        return 1
    host, function_url, pid = serve(front, parameters)
    outputs = {
        "RegistryHost": host,
        "BucketName": "berth" if pid else f"{name}-bucket",
        "RegistryFunctionName": f"{name}-RegistryFunction-X1",
        "RegistryLogGroup": f"/aws/lambda/{name}-registry",
    } | ({} if front == "http-api" else {"FunctionUrlHost": function_url})
    with state.opened() as account:
        account["stacks"][name] |= {
            "StackStatus": "CREATE_COMPLETE",
            "pid": pid,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        }
    return 0


def resources(name: str, front: str) -> list:
    found = [
        ("AWS::S3::Bucket", f"{name}-bucket"),
        ("AWS::Lambda::Function", f"{name}-RegistryFunction-X1"),
        ("AWS::Logs::LogGroup", f"/aws/lambda/{name}-registry"),
    ]
    if front == "cloudfront":
        found.append(("AWS::CloudFront::Function", f"arn:aws:cloudfront::{state.ACCOUNT}:function/uuid-of-{name}"))
    return [
        {"ResourceType": kind, "PhysicalResourceId": physical, "ResourceStatus": "CREATE_COMPLETE"}
        for kind, physical in found
    ]


def events(reason: str) -> list:
    """The newest first, as CloudFormation gives them."""
    return [
        {"LogicalResourceId": "berth", "ResourceStatus": "ROLLBACK_COMPLETE"},
        {
            "LogicalResourceId": "Table",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": "Resource creation cancelled",
        },
        {"LogicalResourceId": "EdgeDistribution", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": reason},
        {"LogicalResourceId": "berth", "ResourceStatus": "CREATE_IN_PROGRESS"},
    ]


def serve(front: str, parameters: dict) -> tuple:
    """(host, function URL's host, process id) of a local stack; without one, an address where nothing answers."""
    program = os.environ.get("FAKE_LAMBDA_LOCAL")
    if not program:
        return "127.0.0.1:1", "127.0.0.1:1", 0
    log = Path(os.environ["FAKE_AWS_STATE"]).with_suffix(f".{front}.log")
    root = Path(__file__).resolve().parents[2]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [
                program,
                "--addr",
                "127.0.0.1:0",
                "--template",
                root / "template.yaml",
                "--front",
                front,
                "--instances",
                "4",
                "--s3",
                os.environ["AWS_ENDPOINT_URL_S3"].rpartition("/")[2].replace("localhost", "127.0.0.1"),
                "--folder",
                log.parent,
                "--user",
                parameters["Users"],
                "--parameter",
                f"Rules={parameters['Rules']}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    last = "function-url" if front == "cloudfront" else "issuer"
    while not re.search(rf"^{last} +\S+.*\n", printed := log.read_text(errors="replace"), re.MULTILINE):
        if process.poll() is not None:
            raise SystemExit(f"lambda-local did not start: {printed}")
        time.sleep(0.02)
    host = re.search(r"^registry +(\S+)", printed, re.MULTILINE).group(1)
    behind = re.search(r"^function-url +https?://(\S+)", printed, re.MULTILINE)
    return host, behind.group(1) if behind else host, process.pid
