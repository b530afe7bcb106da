"""Measures what operations use: each a few times, with content that no registry has seen."""

import dataclasses
from collections.abc import Callable

from client import CHUNK, MIB, Client, Image
from deployment import Deployment, authorization
from prices import Prices
from sides import Berth, Distribution
from usage import Usage

SMALL = [4 * MIB] * 4  # each fits one request to a function, of 4.5 MB
TYPICAL = [8 * MIB, 12 * MIB, 7 * MIB, 2 * MIB]  # 29 MiB, as in tests/budgets.rs

# key -> what it is
OPERATIONS = {
    "push small": "push, 4 layers of 4 MiB, a PUT each",
    "push typical": "push, 29 MiB in 4 layers",
    "push again": "the same under another tag",
    "pull started": "pull of it, process just started",
    "pull warm": "pull of it, warm",
    "pull cold": "pull of it, a new process for each request",
}

Measured = dict[str, Usage]


class Meter:
    def __init__(self, deployment: Deployment, prices: Prices, side: Berth | Distribution):
        self.deployment, self.prices, self.side = deployment, prices, side
        self.client = Client(side.host, authorization())
        self.measured: Measured = {}

    def run(self, rounds: int) -> Measured:
        self.side.restart()
        # The registry's own secret is made once in its life, and is not an operation's.
        self.client.push("cost/first", "v1", Image.of(0, [1000]))
        for number in range(1, rounds + 1):
            self.round(number)
        return self.measured

    def round(self, number: int) -> None:
        small, typical = Image.of(2 * number, SMALL), Image.of(2 * number + 1, TYPICAL)
        here, there = f"cost/small{number}", f"cost/typical{number}"
        # Distribution and CloudFront take a body of any length: they are pushed to as usual.
        chunk = CHUNK if self.side.front in ("http-api", "function-url") else None
        self.add("push small", lambda: self.client.push(here, "v1", small))
        self.add("push typical", lambda: self.client.push(there, "v1", typical, chunk))
        self.add("push again", lambda: self.client.push(there, "v2", typical, chunk))
        self.side.restart()
        self.add("pull started", lambda: self.client.pull(there, "v1", typical))
        self.add("pull warm", lambda: self.client.pull(there, "v1", typical))
        if isinstance(self.side, Berth):
            self.client.between = self.side.restart
            self.add("pull cold", lambda: self.client.pull(there, "v1", typical))
            self.client.between = lambda: None

    def add(self, key: str, operation: Callable[[], None]) -> None:
        usage = self.measured.setdefault(key, Usage())
        before, self.client.out, self.client.bodies = self.side.spent(), 0, []
        self.deployment.ask("/_requests", "DELETE")
        self.side.begin()
        operation()
        after = self.side.spent()
        usage.rounds += 1
        usage.out += self.client.out
        usage.add_requests(self.deployment.ask("/_requests"), self.prices)
        self.side.add_front(usage, self.client, self.prices)
        for field in dataclasses.fields(after):
            more = getattr(after, field.name) - getattr(before, field.name)
            setattr(usage, field.name, getattr(usage, field.name) + more)
