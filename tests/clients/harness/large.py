"""A layer of half a gigabyte, which no door of Lambda's lets through, is pulled by a redirect to S3."""

import http.client
import random
import tarfile
import time
import zlib
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from client.skopeo import Skopeo

from .content import MIB, TAG, Image, Layer, Layout, add_image, blob_path, local_name
from .failure import equal, require
from .local_stack import LocalStack, server_beside
from .process import Shell, environment
from .recorder import Recorder
from .registry import Manifest
from .traffic import Traffic

REPOSITORY = "large/image"
LAYER_BYTES = 500 * MIB
# Of which the best counts: other work of the machine only slows. After the first it is enough once the share is there.
TRIES, MOST_TRIES = 3, 12
# Of S3's own speed, at least so much is to be had by way of the registry.
SHARE = 0.8
RESIDENT_MIB = 64


def make_large(path: Path, seed: str = "large", layer_bytes: int = LAYER_BYTES) -> Image:
    """Written piece by piece: it need not fit into memory. Its layer is a little longer than `layer_bytes`."""
    layout = Layout(path)
    # As gzip without compression: what is not compressed, clients compress before they push it.
    gzip, written, partial = zlib.compressobj(0, wbits=31), sha256(), path / "layer"
    tar = sha256()
    entry = tarfile.TarInfo("large")
    entry.size = layer_bytes
    with partial.open("wb") as file:
        piece = random.Random(seed).randbytes(MIB)
        for part in [entry.tobuf(tarfile.USTAR_FORMAT), *[piece] * (layer_bytes // MIB), bytes(1024), b""]:
            tar.update(part)
            compressed = gzip.compress(part) if part else gzip.flush()
            written.update(compressed)
            file.write(compressed)
    layer = Layer("sha256:" + written.hexdigest(), partial.stat().st_size, "sha256:" + tar.hexdigest())
    partial.rename(blob_path(path, layer.digest))
    descriptor, image = add_image(layout, seed, (layer,), "amd64")
    layout.root(descriptor, local_name(image))
    return image


class LargeLayer:
    def __init__(self, temp: Path, stack: LocalStack, image: Image):
        self.temp, self.stack, self.image = temp, stack, image
        self.registry = stack.registry()
        [self.layer] = image.layers
        self.path = f"/v2/{REPOSITORY}/blobs/{self.layer.digest}"
        temp.mkdir()

    def checks(self) -> list:
        return [
            ("place 500 MB", self.place), ("pull 500 MB", self.pull), ("speed of S3", self.speed),
            ("memory", self.memory),
        ]

    def skopeo(self, host: str, traffic: Traffic | None = None) -> Skopeo:
        return Skopeo(self.temp, Shell(environment(self.temp)), host, self.registry, traffic)

    def place(self) -> str:
        with server_beside(self.stack, self.temp) as registry:
            self.skopeo(registry.host).push(self.image, REPOSITORY, TAG)
        return "by `berth serve` on the same bucket and table"

    def pull(self) -> str:
        recorder = Recorder(self.registry.address)
        try:
            skopeo = self.skopeo(recorder.host)
            skopeo.login(self.stack.user, self.stack.password)
            start = time.monotonic()
            skopeo.pull(self.image, REPOSITORY, TAG)
            seconds = time.monotonic() - start
        finally:
            recorder.close()
        [asked] = [request for request in recorder.requests if request.target == self.path and request.method == "GET"]
        equal("status of the layer", asked.status, 307)
        return f"skopeo, digests equal, {rate(self.layer.size, seconds)} with hashing and writing"

    def speed(self) -> str:
        """Through the registry's redirect, beside the same object straight from S3: in turns, the best of each."""
        through, straight = [], []
        self.redirect()  # has a token then
        for tried in range(MOST_TRIES):
            if tried >= TRIES and min(straight) / min(through) >= SHARE:
                break
            start = time.monotonic()
            location = self.redirect()
            self.read(location)
            through.append(time.monotonic() - start)
            start = time.monotonic()
            self.read(location)
            straight.append(time.monotonic() - start)
        said = f"{rate(self.layer.size, min(through))} by the redirect, {rate(self.layer.size, min(straight))} straight from S3"
        require(min(straight) / min(through) >= SHARE, said)
        return said

    def redirect(self) -> str:
        """The presigned URL that the registry answers with."""
        request = self.registry.request(self.path)
        connection = http.client.HTTPConnection(self.stack.host, timeout=60)
        try:
            connection.request("GET", self.path, headers=dict(request.header_items()))
            answer = connection.getresponse()
            equal("status of the layer", answer.status, 307)
            return answer.headers["Location"]
        finally:
            connection.close()

    def read(self, url: str) -> None:
        there, buffer, count = urlsplit(url), bytearray(MIB), 0
        connection = http.client.HTTPConnection(there.netloc, timeout=60)
        try:
            connection.request("GET", f"{there.path}?{there.query}")
            answer = connection.getresponse()
            equal("status of S3's answer", answer.status, 200)
            while read := answer.readinto(buffer):
                count += read
        finally:
            connection.close()
        equal("bytes of the layer", count, self.layer.size)

    def memory(self) -> str:
        peaks = [instance["peak_resident"] / MIB for instance in self.stack.instances()]
        said = f"{max(peaks):.1f} MiB resident at most, of {len(peaks)} instances"
        require(max(peaks) < RESIDENT_MIB, said)
        return said


def timed_push(client, image: Image, repository: str) -> tuple[Manifest, float]:
    """Pushes; returns what the registry has then, and the seconds."""
    start = time.monotonic()
    told = client.push(image, repository, TAG)
    seconds = time.monotonic() - start
    manifest = client.registry.manifest(repository, TAG)
    if told:
        equal("manifest digest as the client tells it", told, manifest.digest)
    return manifest, seconds


def rate(size: int, seconds: float) -> str:
    return f"{size / seconds / 1e6:.0f} MB/s"
