"""The fake AWS CLI."""

import json
import os
import signal
import sys

import state


class Refused(Exception):
    """What AWS answers in place of success."""


def main(argv: list) -> int:
    if argv == ["--version"]:
        print(os.environ.get("FAKE_AWS_VERSION", "aws-cli/2.27.1 Python/3.13"))
        return 0
    words = [word for word in argv[:3] if not word.startswith("--")]
    service, operation, asked = words[0], words[1], state.options(argv)
    with state.opened() as account:
        account["calls"].append(["aws", *argv])
        try:
            if text := state.fault(f"{service}:{operation}"):
                raise Refused(text)
            said = COMMANDS[service, operation](account, asked, words[2:])
        except Refused as reason:
            print(f"An error occurred: {reason}", file=sys.stderr)
            return 254
    if said is not None:
        print(said if isinstance(said, str) else json.dumps(said))
    return 0


def stack(account: dict, asked: dict) -> dict:
    wanted = asked["stack-name"]
    for found in account["stacks"].values():
        if wanted in (found["StackName"], found["StackId"]):
            # A deleted one is known by its id alone.
            if found["StackStatus"] != "DELETE_COMPLETE" or wanted == found["StackId"]:
                return found
    raise Refused(f"Stack with id {wanted} does not exist")


def bucket(account: dict, asked: dict) -> dict:
    if asked["bucket"] not in account["buckets"]:
        raise Refused("(NoSuchBucket): The specified bucket does not exist")
    return account["buckets"][asked["bucket"]]


def export(account, asked, words):
    return {"Version": 1, "AccessKeyId": "AKIALOCALEMULATOR000", "SecretAccessKey": "the-secret-of-the-local-emulators"}


def describe_stacks(account, asked, words):
    found = stack(account, asked)
    if found["StackStatus"] == "DELETE_IN_PROGRESS":
        waits = state.fault("delete:waits")
        if not waits or os.path.exists(waits):
            found["StackStatus"] = ended(account, found)
    return {"Stacks": [{name: value for name, value in found.items() if name != "resources"}]}


def ended(account: dict, found: dict) -> str:
    """How the deletion of a stack ends."""
    if state.fault("delete:fails") == "always" or state.fault("delete:fails") == "once" and not found.get("forced"):
        return "DELETE_FAILED"
    for resource in found["resources"]:
        if (
            resource["ResourceType"] == "AWS::Logs::LogGroup"
            and resource["PhysicalResourceId"] in account["logs"]["us-east-1"]
        ):
            account["logs"]["us-east-1"].remove(resource["PhysicalResourceId"])
    if found.get("pid"):
        os.kill(found["pid"], signal.SIGTERM)
    return "DELETE_COMPLETE"


def delete_stack(account, asked, words):
    found = stack(account, asked)
    found["StackStatus"] = "DELETE_IN_PROGRESS"
    found["forced"] = asked.get("deletion-mode") == "FORCE_DELETE_STACK"


def stack_events(account, asked, words):
    return {"StackEvents": stack(account, asked).get("events", [])}


def list_stacks(account, asked, words):
    gone = [found for found in account["stacks"].values() if found["StackStatus"] == "DELETE_COMPLETE"]
    return {"StackSummaries": [{name: found[name] for name in ("StackName", "StackId")} for found in gone]}


def stack_resources(account, asked, words):
    return {"StackResourceSummaries": stack(account, asked)["resources"]}


def create_bucket(account, asked, words):
    account["buckets"][asked["bucket"]] = {"objects": ["code.zip"], "uploads": []}


def list_versions(account, asked, words):
    objects = bucket(account, asked)["objects"][:1000]
    return (
        {
            "Versions": [{"Key": key, "VersionId": "null"} for key in objects if not key.startswith("gone")],
            "DeleteMarkers": [{"Key": key, "VersionId": "null"} for key in objects if key.startswith("gone")],
        }
        if objects
        else None
    )


def delete_objects(account, asked, words):
    with open(asked["delete"].removeprefix("file://")) as file:
        gone = {entry["Key"] for entry in json.load(file)["Objects"]}
    assert len(gone) <= 1000
    found = bucket(account, asked)
    found["objects"] = [key for key in found["objects"] if key not in gone]


def list_uploads(account, asked, words):
    return {"Uploads": [{"Key": key, "UploadId": "1"} for key in bucket(account, asked)["uploads"]]}


def abort_upload(account, asked, words):
    bucket(account, asked)["uploads"].remove(asked["key"])


def delete_bucket(account, asked, words):
    found = bucket(account, asked)
    if found["objects"] or found["uploads"]:
        raise Refused("BucketNotEmpty")
    del account["buckets"][asked["bucket"]]


def get_policy(account, asked, words):
    actions = ["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"]
    return {"Policy": json.dumps({"Statement": [{"Action": action} for action in actions]})}


def filter_logs(account, asked, words):
    line = (
        "REPORT RequestId: 8f5-1\tDuration: 12.34 ms\tBilled Duration: {} ms\tMemory Size: 512 MB\t"
        "Max Memory Used: 31 MB\t{}\n"
    )
    return {"events": [{"message": line.format(40, "Init Duration: 25.50 ms\t")}, {"message": line.format(13, "")}]}


def log_groups(account, asked, words):
    names = account["logs"].get(asked["region"], [])
    return {"logGroups": [{"logGroupName": name} for name in names if name.startswith(asked["log-group-name-prefix"])]}


def delete_log_group(account, asked, words):
    account["logs"][asked["region"]].remove(asked["log-group-name"])


COMMANDS = {
    ("sts", "get-caller-identity"): lambda *_: {
        "Account": state.ACCOUNT,
        "Arn": f"arn:aws:iam::{state.ACCOUNT}:user/anna",
    },
    ("configure", "get"): lambda *_: "us-east-1",
    ("configure", "export-credentials"): export,
    ("cloudformation", "describe-stacks"): describe_stacks,
    ("cloudformation", "describe-stack-events"): stack_events,
    ("cloudformation", "list-stack-resources"): stack_resources,
    ("cloudformation", "list-stacks"): list_stacks,
    ("cloudformation", "delete-stack"): delete_stack,
    ("s3api", "create-bucket"): create_bucket,
    ("s3api", "list-object-versions"): list_versions,
    ("s3api", "delete-objects"): delete_objects,
    ("s3api", "list-multipart-uploads"): list_uploads,
    ("s3api", "abort-multipart-upload"): abort_upload,
    ("s3api", "delete-bucket"): delete_bucket,
    ("lambda", "get-policy"): get_policy,
    ("logs", "filter-log-events"): filter_logs,
    ("logs", "describe-log-groups"): log_groups,
    ("logs", "delete-log-group"): delete_log_group,
}
