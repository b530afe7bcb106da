"""One client's push of a large layer through CloudFront, and what it cost."""

import time

from client.base import ImageClient

from .content import TAG, Image
from .edge_log import LARGEST_BODY, EdgeLog, Seen
from .failure import CommandFailure, Failure, equal, require
from .large import rate, timed_push
from .refusals import brief

# At most, for a blob, with what is asked about it before it is sent; and for the commit of one that S3 has.
INVOCATIONS, AWS_REQUESTS, COMMIT = 3, 8, 6
READS = ("GetObject", "HeadObject")
# How clients show AWS's own 413; and what CloudFront's function advises, which is asked where the length is declared.
TOO_LARGE = ("413", "too large")
ADVICE = ("berth gateway",)


class LargePush:
    """An image of which one layer is larger than any request to the function."""

    def __init__(self, client: ImageClient, image: Image, log: EdgeLog):
        self.client, self.image, self.log = client, image, log
        self.repository = f"{client.name}/large"
        [self.layer] = image.layers

    def checks(self) -> list:
        return [("push 1 GB", self.push), ("bodies", self.bodies), ("cost", self.cost), ("pull 1 GB", self.pull),
                ("push it again", self.push_again)]

    def push(self) -> str:
        self.log.begin()
        manifest, seconds = timed_push(self.client, self.image, self.repository)
        equal("manifest", manifest.digest, self.image.digest)
        return f"{manifest.digest[:19]} in {seconds:.0f} s, {rate(self.layer.size, seconds)}"

    def bodies(self) -> str:
        return bodies(self.log, self.layer.size)

    def cost(self) -> str:
        return cost(self.log, len({self.image.config, self.layer.digest}))

    def pull(self) -> str:
        start = time.monotonic()
        self.client.pull(self.image, self.repository, TAG)
        return f"digests equal, in {time.monotonic() - start:.0f} s"

    def push_again(self) -> str:
        self.log.begin()
        self.client.push(self.image, self.repository, TAG)
        equal("requests to the bucket", [str(request) for request in self.log.to_bucket()], [])
        return "no blob sent"


def bodies(log: EdgeLog, size: int) -> str:
    """That `size` bytes went to the bucket, once, and nothing large to the function."""
    largest = max(request.body for request in log.to_function())
    require(largest <= LARGEST_BODY, f"a request to the function has {largest} bytes")
    # What has no token yet is answered by the function for requests.
    others = [request for request in log.requests() if request.handled in ("answered", "refused", "failed") and request.status != 401]
    equal("refused", [str(request) for request in others], [])
    equal("to the bucket", [(r.method, r.status, r.body) for r in log.to_bucket()], [("PUT", 303, size)])
    return f"the largest to the function has {largest} bytes; the layer went to the bucket once"


def cost(log: EdgeLog, blobs: int) -> str:
    """Of all blobs together: what is asked until the last is linked, and its stage removed. The manifest comes after them."""
    invocations = [r for r in log.to_function() if "/blobs/" in r.path and r.status != 401]
    tokens = sum(r.path == "/token" or r.status == 401 for r in log.to_function())
    asked = log.asked()
    last = max(at for at, r in enumerate(asked) if r["operation"] == "DeleteObjects" or linked(r))
    asked = asked[:last + 1]
    said = (f"for each of {blobs} blobs {len(invocations) / blobs:.1f} invocations (at most {INVOCATIONS}) and {len(asked) / blobs:.1f} "
            f"requests to AWS (at most {AWS_REQUESTS}), {tokens} for tokens beside them")
    commits = [commit(put, asked) for put in log.to_bucket() if put.method == "PUT"]
    said += f"; the commit {', '.join(str(len(requests)) for requests in commits)} (at most {COMMIT})"
    within = len(invocations) <= INVOCATIONS * blobs and len(asked) <= AWS_REQUESTS * blobs
    within = within and commits != [] and all(len(requests) <= COMMIT for requests in commits)
    require(within, "\n".join([said, *map(str, invocations), *(f"{r['operation']} {r['key']}" for r in asked)]))
    return said


def commit(put: Seen, asked: list[dict]) -> list[dict]:
    """What the function asked about content that went to the bucket: about its upload, and to put it in its place."""
    session, hexadecimal = put.path.rpartition("/")[2], (put.sent or "").rpartition("/")[2]

    def concerns(recorded: dict) -> bool:
        named = f"{recorded['key']} {recorded['source']}"
        changes = hexadecimal in named and recorded["operation"] not in READS
        return recorded["operation"] == "DeleteObjects" or session in named or changes

    return [recorded for recorded in asked if concerns(recorded)]


def linked(recorded: dict) -> bool:
    return recorded["operation"] == "PutObject" and "/_layers/" in (recorded["key"] or "")


class Refused:
    """A client that sends a layer by one PATCH, which only the registry's function could take. AWS answers 413; or, where the
    client declares the length, CloudFront's function 405."""

    def __init__(self, client: ImageClient, image: Image, log: EdgeLog, declares: bool):
        self.client, self.image, self.log = client, image, log
        self.status, self.words = (405, ADVICE) if declares else (413, TOO_LARGE)
        self.repository = f"{client.name}/large"

    def checks(self) -> list:
        return [("push is refused", self.push), ("nothing is left", self.nothing)]

    def push(self) -> str:
        self.log.begin()
        try:
            self.client.push(self.image, self.repository, TAG)
        except CommandFailure as failure:
            said = failure.said
        else:
            raise Failure("it was pushed")
        refused = [r for r in self.log.requests() if r.method == "PATCH" and r.status == self.status]
        require(refused != [], f"no PATCH was answered by {self.status}, and it says: {said}")
        # All of what it printed: the last line may be another layer's.
        shown = "\n".join([said, *self.client.shell.transcript]).lower()
        require(any(word in shown for word in self.words), f"it does not say why: {said}")
        return f"{len(refused)} times by {self.status}, it says: {brief(said)}"

    def nothing(self) -> str:
        equal("requests to the bucket", [str(request) for request in self.log.to_bucket()], [])
        chunks = [r for r in self.log.requests() if r.method == "PATCH"]
        equal("large bodies that were taken", [str(r) for r in chunks if r.status == 202 and r.body > LARGEST_BODY], [])
        equal("status of the tag", self.client.registry.status(f"/v2/{self.repository}/manifests/{TAG}"), 404)
        return f"{len(chunks)} PATCH, of which no large one was taken"
