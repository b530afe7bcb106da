"""Runs of a deployment in which one thing that nobody has confirmed about AWS is the other way round."""

from dataclasses import dataclass
from pathlib import Path

from .failure import require
from .local_stack import FRONTS, INSTANCES, assumptions

# Those that concern some front ends only; all others concern the first two, which every client can use.
CONCERNED = {
    "function-url-challenge": ("cloudfront", "function-url"),
    "http-api-challenge": ("http-api",),
    "chunked-requests": ("cloudfront",),
    "early-answers": ("cloudfront",),
    "content-sha256": ("cloudfront",),
    "viewer-response-sees": ("cloudfront",),
    "viewer-response-runs": ("cloudfront",),
}
BOTH = FRONTS[:2]
AS_OBSERVED = "-"
# CloudFront's function for responses does not run, and the rules let anybody pull something: then no 401 is answered by the
# function for requests, and clients see the status that the registry sends in its place.
ANONYMOUS = "viewer-response-runs=no+anonymous"
# The same once a client is logged in and its token has expired.
EXPIRED = "viewer-response-runs=no+expired"
# Where requests are refused while all instances are busy, there are as many as the concurrency of a new account ("Lambda
# quotas"). No client sends more requests at a time.
BUSY, CONCURRENCY = "when-busy=refuse", 10
IMPOSSIBLE = Path(__file__).resolve().parents[1] / "impossible"


@dataclass(frozen=True)
class Run:
    front: str
    assumption: str  # NAME=VALUE, or one of the others above

    @property
    def assume(self) -> tuple[str, ...]:
        return () if self.assumption == AS_OBSERVED else (self.assumption.partition("+")[0],)

    @property
    def instances(self) -> int:
        return CONCURRENCY if self.assumption == BUSY else INSTANCES

    def __str__(self) -> str:
        return f"{self.front} {self.assumption}"


def all_runs() -> list[Run]:
    """First as AWS is taken to be, then each other value of each assumption, on the front ends that it concerns."""
    runs = [Run(front, AS_OBSERVED) for front in BOTH]
    for known in assumptions():
        for value in known["values"]:
            if value != known["default"]:
                fronts = CONCERNED.get(known["name"], BOTH)
                runs += [Run(front, f"{known['name']}={value}") for front in fronts]
    return [*runs, Run(BOTH[0], ANONYMOUS), Run(BOTH[0], EXPIRED)]


class Impossible:
    """What the documentation says does not work, as the file `impossible` has it: by run and client, the checks that fail."""

    def __init__(self, runs: list[Run]):
        self.checks: dict[tuple[Run, str], frozenset[str]] = {}
        for number, line in enumerate(IMPOSSIBLE.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            front, assumption, clients, checks = line.split()
            run = Run(front, assumption)
            require(run in runs, f"{IMPOSSIBLE.name}, line {number}: there is no run {run}")
            for client in clients.split(","):
                self.checks[run, client] = frozenset(checks.split(","))

    def of(self, run: Run, client: str) -> frozenset[str]:
        return self.checks.get((run, client), frozenset())
