"""`berth push` and `berth copy` bring what no request to a function could carry."""

import os
from pathlib import Path

from client.skopeo import Skopeo

from . import server
from .archive import docker_archive
from .content import MIB, TAG, Image, Index, blob_path
from .direct import curl, target
from .failure import equal, require
from .gateway_speed import share
from .large import make_large, rate
from .local_stack import INSTANCES, LocalStack
from .process import PATH, Shell, environment
from .recorder import Recorder
from .registry import Registry
from .timed import Run, timed
from .traffic import Traffic

LAYER_BYTES = 1000 * MIB
# "Lambda quotas": what a function is sent, of which a body is three quarters, as base64.
LARGEST_BODY = 6_291_556 * 3 // 4
INVOCATIONS, REQUESTS = 3, 6  # for a blob, at most
RESIDENT_MIB = 96
SECRETS = "berth/secrets/uploads"
# Of the speed that one PUT by curl has, at least so much is to be had.
SHARE = 0.8
TRIES, MOST_TRIES = 3, 7


class AnySize:
    """Against the local Lambda. Each push goes through a recorder, which sees what the function would be sent."""

    def __init__(self, temp: Path, stack: LocalStack):
        self.temp, self.stack, self.registry = temp, stack, stack.registry()
        temp.mkdir()
        self.env = environment(temp, PATH=f"{server.berth_binary().parent}:{PATH}")
        self.shell = Shell(self.env)
        self.recorder = Recorder(self.registry.address)
        self.traffic = Traffic(self.recorder)
        self.host = self.recorder.host
        self.image = make_large(temp / "image", "any-size", LAYER_BYTES)
        [self.layer] = self.image.layers

    def checks(self, index: Index) -> list:
        return [
            ("login", self.login), ("start all instances", lambda: self.start(index)), ("push a layout", self.push_layout), ("push it again", self.push_again),
            ("push to another repository", self.push_elsewhere), ("push a docker-archive", self.push_archive),
            ("copy an index", lambda: self.copy(index)), ("speed of S3", self.speed),
        ]

    def berth(self, *argv) -> Run:
        return timed(self.env, server.berth_binary(), *argv)

    def login(self) -> str:
        said = self.shell.run(server.berth_binary(), "login", self.host, "--username", self.stack.user,
                              "--password-stdin", stdin=self.stack.password)
        return said.partition(";")[0].strip()

    def start(self, index: Index) -> str:
        """Each instance reads its secrets once in its life, which is no blob's cost."""
        pushes, started = 0, 0
        while started < INSTANCES:
            pushes += 1
            require(pushes < 40, f"{started} of {INSTANCES} instances have taken an upload")
            self.berth("push", index.layout, f"{self.host}/start/{pushes}:{TAG}")
            started = sum(r["key"] == SECRETS and r["method"] == "GET" for r in self.stack.ask("/_requests"))
        return f"{pushes} small pushes"

    def push_layout(self) -> str:
        with Cost(self) as cost:
            run = self.berth("push", self.image.layout, f"{self.host}/any/layout:{TAG}")
        self.pulled("any/layout", self.image.digest, self.image.digests)
        return f"{rate(self.layer.size, run.seconds)}, {memory(run)}; {cost.within(2)}"

    def push_again(self) -> str:
        run = self.berth("push", "--recheck", self.image.layout, f"{self.host}/any/layout:2")
        equal("bytes of blobs sent to the function", self.traffic.uploaded_bytes(), 0)
        equal("sessions opened", [str(r) for r in self.traffic.requests() if r.method == "POST" and r.status == 202], [])
        return f"no blob moves ({run.seconds:.1f} s)"

    def push_elsewhere(self) -> str:
        before = self.put_to_s3()
        self.berth("push", self.image.layout, f"{self.host}/any/elsewhere:{TAG}")
        put = self.put_to_s3() - before
        require(put < self.layer.size, f"{put} bytes were sent to S3 once more")
        return "linked without its bytes, for who may read all"

    def push_archive(self) -> str:
        archive = docker_archive(self.image, self.temp / "saved.tar")
        with Cost(self) as cost:
            run = self.berth("push", archive, f"{self.host}/any/archive:{TAG}")
        archive.unlink()
        manifest = self.registry.manifest("any/archive", TAG)
        equal("config", manifest.config["digest"], self.image.config)
        equal("layers", [layer["digest"] for layer in manifest.layers], [self.layer.diff_id])
        self.pulled("any/archive", manifest.digest, {manifest.digest, self.image.config, self.layer.diff_id})
        return f"{rate(LAYER_BYTES, run.seconds)}, {memory(run)}; {cost.within(2)}"

    def copy(self, index: Index) -> str:
        """From docker-registry, as it is."""
        folder = self.temp / "peer"
        folder.mkdir()
        with server.docker_registry(folder, folder / "data") as peer:
            self.skopeo(peer, peer.host).push(index, "some/index", TAG)
            run = self.berth("copy", f"{peer.host}/some/index:{TAG}", f"{self.host}/any/index:{TAG}")
        self.within_limits()
        equal("digest", self.registry.manifest("any/index", TAG).digest, index.digest)
        self.pulled("any/index", index.digest, index.digests)
        return f"two platforms from docker-registry ({run.seconds:.1f} s)"

    def speed(self) -> str:
        """A layer that nobody has seen, beside another by curl: in turns, the best of each."""
        by_berth, by_curl, most = [], [], 0
        for tried in range(MOST_TRIES):
            if tried >= TRIES and share(by_curl, by_berth) >= SHARE:
                break
            images = [make_large(self.temp / f"{who}-{tried}", f"{who}-{tried}", LAYER_BYTES) for who in ("curl", "berth")]
            [layer] = images[0].layers
            put = target(self.registry, "any/curl", layer.digest, layer.size)
            os.sync()  # the disk has nothing else to write
            by_curl.append(curl(put, blob_path(images[0].layout, layer.digest)))
            os.sync()
            run = self.berth("push", images[1].layout, f"{self.host}/any/speed:{tried}")
            by_berth.append(run.seconds)
            most = max(most, run.resident)
            for image in images:
                blob_path(image.layout, image.layers[0].digest).unlink()
        reached = share(by_curl, by_berth)
        said = (f"{rate(self.layer.size, min(by_berth))} by berth push, {rate(self.layer.size, min(by_curl))} by curl "
                f"({reached:.0%}), {most / MIB:.0f} MiB resident")
        require(reached >= SHARE and most < RESIDENT_MIB * MIB, said)
        return said

    def pulled(self, repository: str, digest: str, digests) -> None:
        """skopeo brings it back, and verifies every digest."""
        self.within_limits()
        equal("digest", self.registry.manifest(repository, TAG).digest, digest)
        skopeo = self.skopeo(self.registry, self.host)
        skopeo.login(self.stack.user, self.stack.password)
        layout = self.temp / "pulled"
        skopeo.copy(f"docker://{self.host}/{repository}:{TAG}", f"oci:{layout}:{TAG}", "--preserve-digests")
        for wanted in sorted(digests):
            require(blob_path(layout, wanted).is_file(), f"{wanted} was not pulled")
        self.shell.run("/bin/rm", "-r", layout)

    def skopeo(self, registry: Registry, host: str) -> Skopeo:
        return Skopeo(self.temp, self.shell, host, registry, self.traffic)

    def within_limits(self) -> None:
        largest = max(request.body for request in self.traffic.requests())
        require(largest < LARGEST_BODY, f"a request to the function has {largest} bytes")
        equal("refused for their size", [str(r) for r in self.traffic.requests() if r.status == 413], [])

    def put_to_s3(self) -> int:
        return sum(r["request_bytes"] for r in self.stack.ask("/_requests") if r["presigned"] and r["method"] == "PUT")

    def close(self) -> None:
        self.recorder.close()


class Cost:
    """What a push took of the function, and of AWS by it."""

    def __init__(self, sizes: AnySize):
        self.sizes = sizes

    def __enter__(self):
        self.start = len(self.sizes.recorder.requests)
        self.sizes.stack.ask("/_requests", "DELETE")
        return self

    def __exit__(self, *_):
        self.requests = self.sizes.recorder.requests[self.start:]
        self.asked = [r for r in self.sizes.stack.ask("/_requests") if not r["presigned"]]

    def within(self, blobs: int) -> str:
        """Requests about blobs, by their routes; of those to AWS, what comes before the first look at the tag, which a client
        takes when all blobs are there."""
        invocations = sum("/blobs/" in request.path for request in self.requests)
        keys = [request["key"] or "" for request in self.asked]
        tagged = next(at for at, key in enumerate(keys) if "/_manifests/tags/" in key)
        for_blobs = [key for key in keys[:tagged] if "/_manifests/" not in key]
        said = (f"for each of {blobs} blobs {invocations / blobs:.1f} invocations (at most {INVOCATIONS}) and "
                f"{len(for_blobs) / blobs:.1f} requests to AWS (at most {REQUESTS})")
        require(invocations <= INVOCATIONS * blobs and len(for_blobs) <= REQUESTS * blobs, said)
        return said


def memory(run: Run) -> str:
    said = f"{run.resident / MIB:.0f} MiB resident"
    require(run.resident < RESIDENT_MIB * MIB, said)
    return said
