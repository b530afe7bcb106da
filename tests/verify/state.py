"""The account which the fake `aws` and `sam` share: a JSON file (FAKE_AWS_STATE), and faults (FAKE_AWS_FAULTS)."""

import contextlib
import fcntl
import json
import os
from pathlib import Path

ACCOUNT = "123456789012"
# Of somebody else, in the same account: a run must not touch it.
OTHERS = {
    "stacks": {
        "production": {
            "StackName": "production",
            "StackId": "arn:production",
            "StackStatus": "CREATE_COMPLETE",
            "resources": [],
        }
    },
    "buckets": {"production-bucket": {"objects": ["kept"], "uploads": []}},
    "logs": {
        "us-east-1": ["/aws/cloudfront/function/production", "/aws/lambda/production-registry"],
        "eu-central-1": ["/aws/lambda/production"],
    },
    "calls": [],
}


def path() -> Path:
    return Path(os.environ["FAKE_AWS_STATE"])


def create(file: Path) -> None:
    file.write_text(json.dumps(OTHERS))


@contextlib.contextmanager
def opened():
    """The state, written back at the end."""
    with open(path(), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state = json.load(file)
        yield state
        file.seek(0)
        file.truncate()
        json.dump(state, file)


def fault(name: str) -> str:
    """What goes wrong there: FAKE_AWS_FAULTS is `name=value,..`."""
    faults = dict(pair.split("=", 1) for pair in os.environ.get("FAKE_AWS_FAULTS", "").split(",") if pair)
    return faults.get(name, "")


def options(argv: list) -> dict:
    """`--name value ..` as name -> value (several joined by a newline); an option without a value is empty."""
    found, name = {}, None
    for word in argv:
        if word.startswith("--"):
            name = word[2:]
            found[name] = []
        elif name:
            found[name].append(word)
    return {name: "\n".join(values) for name, values in found.items()}
