"""A chart of 12 MB, which is more than a request to a function may be."""

import random

from client.helm import CHART, Helm

from .edge_checks import bodies, cost
from .edge_log import EdgeLog
from .failure import equal

FILE_BYTES = 4_000_000  # helm takes files of up to 5 MiB


def enlarge(client: Helm) -> None:
    """Packages the client's chart anew, with content that does not compress."""
    chart = client.temp / CHART
    for name in "abc":
        (chart / name).write_bytes(random.Random(name).randbytes(FILE_BYTES))
    client.helm("package", chart)


class LargeChart:
    def __init__(self, client: Helm, log: EdgeLog):
        self.client, self.log = client, log

    def checks(self) -> list:
        return [("push a chart of 12 MB", self.push), ("cost", lambda: cost(self.log, 2)), ("pull it", self.pull)]

    def push(self) -> str:
        enlarge(self.client)
        self.log.begin()
        self.told = self.client.push_to("helm")
        return f"{self.told[:19]}; {bodies(self.log, self.client.package.stat().st_size)}"

    def pull(self) -> str:
        equal("manifest digest as the client tells it", self.told, self.client.stored("helm").digest)
        self.client.pull_from("helm")
        return "bytes equal"
