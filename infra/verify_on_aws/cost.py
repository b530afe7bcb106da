"""What a run is expected to cost, from infra/prices.json. Free tiers are not counted; every amount is rounded up."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .assumptions import CLOUDFRONT, HTTP_API
from .programs import ROOT

PRICES = ROOT / "infra" / "prices.json"
GB = 1e9
# Of one front end's checks, counted in local runs and rounded up: requests to the registry, bytes sent to it.
CHECK_REQUESTS, CHECK_BYTES = 600, 0.2 * GB
# The conformance program (one version), and one client's push and pull.
CONFORMANCE_REQUESTS, CLIENT_REQUESTS, CLIENT_BYTES = 3000, 60, 0.02 * GB
# Of one request to the registry: requests to S3 and to DynamoDB, and the function's GB-seconds and log.
S3_WRITES, S3_READS, DYNAMODB_READS, DYNAMODB_WRITES = 2, 3, 2, 2
GB_SECONDS, LOG_BYTES = 0.5 * 0.25, 1500
HOURS_STORED = 4


@dataclass(frozen=True)
class Plan:
    fronts: tuple
    sizes: tuple  # bytes of large pushes, through CloudFront
    clients: int
    conformance: bool


@dataclass(frozen=True)
class Line:
    price: str
    amount: float
    unit: str
    dollars: float


def amounts(plan: Plan) -> dict:
    """How much of each price a run needs."""
    used: dict = {}

    def use(name: str, amount: float) -> None:
        used[name] = used.get(name, 0) + amount

    for front in plan.fronts:
        requests = CHECK_REQUESTS + plan.clients * CLIENT_REQUESTS + (CONFORMANCE_REQUESTS if plan.conformance else 0)
        sent = CHECK_BYTES + plan.clients * CLIENT_BYTES
        if front == CLOUDFRONT:
            sent += sum(plan.sizes)
            requests += 10 * len(plan.sizes)
            use("cloudfront request", requests)
            use("cloudfront function", 2 * requests)
            use("cloudfront key", requests)
            use("cloudfront to origin", sent / GB)
        if front == HTTP_API:
            use("http api request", requests)
        use("lambda request", requests)
        use("lambda x86_64", requests * GB_SECONDS)  # the dearer processor
        use("s3 write", requests * S3_WRITES)
        use("s3 read", requests * S3_READS)
        use("dynamodb read", requests * DYNAMODB_READS)
        use("dynamodb write", requests * DYNAMODB_WRITES)
        use("logs", requests * LOG_BYTES / GB)
        # A commit holds the content twice for a moment; all of it is deleted at the end.
        use("s3 storage", 2 * sent / GB * HOURS_STORED / 730)
        use("transfer out", plan.clients * CLIENT_BYTES / GB)
    return used


def lines(plan: Plan) -> list:
    """Raises KeyError for a price that the table lacks."""
    prices = json.loads(PRICES.read_text())["prices"]
    priced = []
    for name, amount in amounts(plan).items():
        price = prices[name]
        priced.append(Line(name, amount, price["unit"], amount * price["usd"] / price["per"]))
    return priced


def total(priced: list) -> float:
    return sum(line.dollars for line in priced)
