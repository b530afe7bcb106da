"""One client's push of a large layer through the gateway, and what it cost."""

import time

from client.base import ImageClient

from .content import TAG, Image
from .failure import equal, require
from .gateway import Gateway
from .large import rate, timed_push
from .local_stack import LocalStack
from .recorder import Request
from .traffic import Traffic

RESIDENT_MIB = 96
# As base64 in an event of 6,291,556 bytes ("Lambda quotas", AWS Lambda Developer Guide), with its headers.
LARGEST_BODY = 4_500_000
INVOCATIONS, AWS_REQUESTS = 3, 6


class CheckedPush:
    def __init__(self, client: ImageClient, image: Image, stack: LocalStack, gateway: Gateway, traffic: Traffic):
        """`traffic` is that between the gateway and the registry."""
        self.client, self.image, self.stack, self.gateway, self.traffic = client, image, stack, gateway, traffic
        self.repository = f"{client.name}/large"

    def checks(self) -> list:
        return [("push 1 GB", self.push), ("bodies", self.bodies), ("cost of the layer", self.cost),
                ("pull 1 GB", self.pull), ("memory", self.memory), ("nothing amiss", self.stack.nothing_amiss)]

    def push(self) -> str:
        self.traffic.begin()
        self.stack.ask("/_requests", "DELETE")
        manifest, seconds = timed_push(self.client, self.image, self.repository)
        equal("config", manifest.config["digest"], self.image.config)
        [self.layer] = manifest.layers
        if self.client.keeps_bytes:
            equal("layer", self.layer["digest"], self.image.layers[0].digest)
        size, passing = self.gateway.passed_on()[self.layer["digest"]]
        equal("size of the layer", size, self.layer["size"])
        return f"{manifest.digest[:19]} in {seconds:.0f} s, of which to S3 at {rate(size, passing)}"

    def bodies(self) -> str:
        requests = self.traffic.requests()
        largest = max(request.body for request in requests)
        require(largest < LARGEST_BODY, f"a body of {largest} bytes")
        equal("requests that were too large", [str(request) for request in requests if request.status == 413], [])
        stored = [request for request in self.recorded() if request["presigned"] and request["method"] == "PUT"]
        equal("bytes of the layer to S3", [r["request_bytes"] for r in stored if self.is_layer(r)], [self.layer["size"]])
        return f"the largest to the function has {largest} bytes; the layer went to S3 once"

    def cost(self) -> str:
        """Of blobs, by what went over the wire; of the layer, by what the function asked of AWS until it was linked."""
        blobs = [request for request in self.traffic.requests() if "/blobs/" in request.path]
        answered = [request for request in blobs if request.status != 401]
        count = len({self.image.config, self.layer["digest"]})
        require(len(answered) <= INVOCATIONS * count, "\n".join(map(str, blobs)))
        asked = [r for r in self.recorded() if not r["presigned"]]
        linked = next(r for r in asked if self.is_layer(r) and r["method"] == "PUT" and r["key"].endswith("/link"))
        of_layer = [r for r in asked if self.is_layer(r) and r["sequence"] <= linked["sequence"]]
        table = [r for r in asked if r["service"] == "dynamodb" and r["sequence"] <= linked["sequence"]]
        # Which blob a request to the table is about does not show: one of each.
        require(len(of_layer) < AWS_REQUESTS and len(table) <= count, f"{of_layer} {table}")
        kinds = ", ".join(f"{method} {sum(1 for r in answered if r.method == method)}" for method in sorted({r.method for r in answered}))
        tokens = sum(1 for request in self.traffic.requests() if request.path == "/token" or request.status == 401)
        return (f"{len(answered)} invocations for {count} blobs ({kinds}) and {tokens} for tokens, {len(of_layer)} requests to "
                f"S3 for the layer and {len(table)} to DynamoDB for all")

    def pull(self) -> str:
        self.traffic.begin()
        start = time.monotonic()
        self.client.pull(self.image, self.repository, TAG)
        seconds = time.monotonic() - start
        [fetched] = [r for r in self.traffic.requests() if self.of_layer(r) and r.method == "GET"][-1:]
        equal("status of the layer", fetched.status, 307)
        return f"digests equal, by redirect, in {seconds:.0f} s"

    def memory(self) -> str:
        peak = self.gateway.peak_mib()
        said = f"{peak:.1f} MiB resident at most"
        require(peak < RESIDENT_MIB, said)
        return said

    def of_layer(self, request: Request) -> bool:
        return self.layer["digest"] in request.path

    def is_layer(self, recorded: dict) -> bool:
        return self.layer["digest"].partition(":")[2] in (recorded["key"] or "")

    def recorded(self) -> list[dict]:
        """What reached the emulated services."""
        return self.stack.ask("/_requests")

