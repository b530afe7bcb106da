"""What an operation used, and what that costs."""

import math
from collections import Counter
from dataclasses import dataclass, field

from prices import Prices, Unpriced

CLOUDFRONT = "cloudfront.amazonaws.com"  # as the emulated S3 knows it: what it sends to the bucket takes no time of the function's
OUT = "cloudfront out"  # a price, of bytes


@dataclass
class Usage:
    """Sums over `rounds` runs of one operation; what is read from it is the mean of one."""

    rounds: int = 0
    classes: Counter = field(default_factory=Counter)  # of requests to S3, of units of DynamoDB
    operations: Counter = field(default_factory=Counter)  # requests, as AWS names them
    own: Counter = field(default_factory=Counter)  # requests that the registry itself made, by service
    clients: int = 0  # requests that the client made to S3, by presigned URL
    to_s3: int = 0  # bytes that the registry itself sent to S3 or had from it
    out: int = 0  # bytes of bodies to the client, from the registry and from S3
    front: Counter = field(default_factory=Counter)  # what the front end is paid for, by the names of prices
    invocations: int = 0
    billed_ms: int = 0  # on this machine, with a whole core
    log_bytes: int = 0  # that the registry wrote

    def of(self, total: float) -> float:
        """The mean, of a sum."""
        return total / self.rounds

    def add_requests(self, recorded: list[dict], prices: Prices) -> None:
        """Classes each request of an emulator's log."""
        for request in recorded:
            operation = f"{request['service']}:{request['operation']}"
            name = prices.class_of(operation)
            self.operations[operation] += 1
            if request["service"] == "s3":
                self.classes[name] += 1
            elif request["units"] is None:
                # An error consumes units as well, and does not say how many.
                raise Unpriced(f"{operation} with status {request['status']} does not say how many units it consumed")
            else:
                self.classes[name] += request["units"]
            if request["presigned"]:
                self.clients += 1
                self.out += body_bytes(request)
            elif request["identity"] != CLOUDFRONT:
                self.own[request["service"]] += 1
                self.to_s3 += request["request_bytes"] + body_bytes(request) if request["service"] == "s3" else 0

    def add_cloudfront(self, requests: list[dict], out: int) -> None:
        """What CloudFront has a price for, from its log; `out` are the bytes that it sent to the client."""
        self.front["cloudfront request"] += len(requests)
        self.front["cloudfront function"] += sum(request["function_runs"] for request in requests)
        # The function reads a key for each upload that it sends to the bucket.
        self.front["cloudfront key"] += sum(request["origin"] == "bucket" for request in requests)
        self.front["cloudfront to origin"] += sum(request["request_bytes"] for request in requests if request["origin"]) / 1e9
        self.front["cloudfront out"] += out / 1e9
        self.out -= out

    def add_http_api(self, bodies: list[int], prices: Prices) -> None:
        """What an HTTP API has a price for; `bodies` are the bytes of each request and its answer."""
        each = prices.assumed("http api kb") * 1024
        self.front["http api request"] += sum(max(1, math.ceil(size / each)) for size in bodies)

    def lambda_ms(self, prices: Prices, memory: int) -> float:
        """Milliseconds that Lambda would bill for one run.

        What was measured counts as work of the processor, of which a function has less than a core; to it comes the
        waiting for AWS, which answers slower than an emulator, as if all requests were made one after the other. Both
        are rather too much than too little.
        """
        work = self.billed_ms * prices.assumed("core mb") / memory
        waiting = self.own["s3"] * prices.assumed("s3 ms") + self.own["dynamodb"] * prices.assumed("dynamodb ms")
        transfer = self.to_s3 / 1e6 / prices.assumed("mb per second") * 1000
        return self.of(work + waiting + transfer)

    def dollars(self, prices: Prices, memory: int, architecture: str = "arm64") -> dict[str, float]:
        """What one run costs, by what it is for; without the transfer to the internet."""
        by = {"S3": 0.0, "DynamoDB": 0.0}
        for name, amount in self.classes.items():
            by["DynamoDB" if name.startswith("dynamodb") else "S3"] += prices.dollars(name, self.of(amount))
        invocations = self.of(self.invocations)
        by["invocations"] = prices.dollars("lambda request", invocations)
        gb_seconds = self.lambda_ms(prices, memory) / 1000 * memory / 1024 if invocations else 0
        by["time"] = prices.dollars(f"lambda {architecture}", gb_seconds)
        platform = prices.assumed("platform log bytes") * invocations
        by["logs"] = prices.dollars("logs", (self.of(self.log_bytes) + platform) / 1e9)
        by["front end"] = sum(prices.dollars(name, self.of(amount)) for name, amount in self.front.items() if name != OUT)
        return by

    def transfer_dollars(self, prices: Prices) -> float:
        by_cloudfront = prices.dollars(OUT, self.of(self.front[OUT]))
        return prices.dollars("transfer out", self.of(self.out) / 1e9) + by_cloudfront

    def out_bytes(self) -> float:
        """Of bodies to the client, from wherever."""
        return self.of(self.out + self.front[OUT] * 1e9)


def body_bytes(request: dict) -> int:
    """Bytes of the answer's body. The Content-Length of a HEAD's answer is that of another."""
    return 0 if request["method"] == "HEAD" else request["response_bytes"] or 0
