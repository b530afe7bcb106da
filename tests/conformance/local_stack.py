"""Starts the local Lambda: what template.yaml deploys, on loopback, with emulated S3 and DynamoDB of its own."""

import contextlib
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path

from servers import ROOT, Server, binary, process, wait
from switches import Run

# By variant, the front end and how instances live: any of four that are stopped between requests takes a request, or each
# request has a process of its own.
FROZEN = ["--random", "--instances", "4"]
OPTIONS = {
    "cloudfront": ["--front", "cloudfront", *FROZEN],
    "http-api": ["--front", "http-api", *FROZEN],
    "fresh": ["--front", "cloudfront", "--recycle-after", "1"],
}
# What lambda-local prints once it serves. The user is its own, with a password that nobody else knows.
PRINTED = re.compile(r"registry +(\S+)\nlogin +echo (\S+) \| docker login -u (\S+) .*\nadmin +http://(\S+)\n")


class LocalStack(Server):
    """The program that is Lambda, its functions and AWS."""

    variant: str
    admin: str

    def complaint(self) -> str | None:
        if complaint := super().complaint():
            return complaint
        if denied := self.ask("/_denied"):
            return f"the role does not allow {denied[0]['action']} on {denied[0]['resource']} ({len(denied)} refusals)"
        counters = self.ask("/_function")
        if counters["errors"]:
            return f"{counters['errors']} of {counters['invocations']} requests had no answer: see {self.log}"
        return self.idleness(counters)

    def idleness(self, counters: dict) -> str | None:
        """A run that did not spread its requests over processes shows less than it says."""
        if self.variant == "fresh":
            few = counters["starts"] < counters["invocations"]
            return f"{counters['invocations']} requests met {counters['starts']} processes" if few else None
        served = [instance["invocations"] for instance in self.ask("/_instances")]
        return None if len(served) == 4 and all(served) else f"requests of the instances: {served}"

    def ask(self, path: str):
        connection = http.client.HTTPConnection(self.admin, timeout=30)
        try:
            connection.request("GET", path)
            return json.load(connection.getresponse())
        finally:
            connection.close()


@contextlib.contextmanager
def lambda_local(run: Run, results: Path, environment: dict[str, str]) -> Iterator[Server]:
    """Yields a deployment that answers, with an empty bucket and table; all are gone afterwards."""
    log = results / "lambda-local.log"
    command = [
        binary("BERTH_LAMBDA_LOCAL", "lambda-local"), "--template", ROOT / "template.yaml", "--addr", "127.0.0.1:0",
        *OPTIONS[run.variant],
    ]
    with process(command, environment, log) as running:
        printed = wait("lambda-local", running, log, lambda: PRINTED.search(log.read_text(errors="replace")))
        host, password, user, admin = printed.groups()
        stack = LocalStack(running, host, log, {"OCI_USERNAME": user, "OCI_PASSWORD": password})
        stack.variant, stack.admin = run.variant, admin
        yield stack
