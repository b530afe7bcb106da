"""Images and indexes to push, each in an OCI image layout on disk.

The bytes depend on nothing but the seed, so a digest in a failure can be made again.
"""

import gzip
import hashlib
import io
import json
import random
import tarfile
from dataclasses import dataclass
from pathlib import Path

IMAGE_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE_INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
IMAGE_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

KIB, MIB = 1 << 10, 1 << 20
IMAGE_LAYER_SIZES = (KIB, MIB, 8 * MIB, 64 * MIB)
PLATFORM_LAYER_SIZES = (KIB, MIB)
PLATFORMS = ("amd64", "arm64")
TAG = "1"


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Layer:
    digest: str  # of the compressed bytes, as in the manifest
    size: int
    diff_id: str  # of the tar file, as in the config


@dataclass(frozen=True)
class Image:
    layout: Path
    digest: str
    config: str
    config_size: int
    layers: tuple[Layer, ...]
    architecture: str

    @property
    def digests(self) -> frozenset[str]:
        return frozenset({self.digest, self.config, *(layer.digest for layer in self.layers)})

    @property
    def images(self) -> "tuple[Image, ...]":
        return (self,)


@dataclass(frozen=True)
class Index:
    layout: Path
    digest: str
    images: tuple[Image, ...]

    @property
    def digests(self) -> frozenset[str]:
        return frozenset({self.digest}).union(*(image.digests for image in self.images))


class Layout:
    """An OCI image layout with one root, named so that every client finds it."""

    def __init__(self, path: Path):
        self.path = path
        (path / "blobs" / "sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data: bytes) -> str:
        digest = sha256(data)
        blob_path(self.path, digest).write_bytes(data)
        return digest

    def document(self, media_type: str, document: dict) -> dict:
        data = json.dumps(document, indent=1).encode()
        return {"mediaType": media_type, "size": len(data), "digest": self.blob(data)}

    def root(self, descriptor: dict, local_name: str) -> None:
        kind = "imageIndex" if descriptor["mediaType"] == IMAGE_INDEX else "image"
        annotations = {
            "org.opencontainers.image.ref.name": TAG,  # skopeo, oras, regctl, podman
            "io.containerd.image.name": local_name,  # ctr, Docker with the containerd store
            "kind": f"dev.cosignproject.cosign/{kind}",  # cosign load
        }
        root = {"schemaVersion": 2, "manifests": [{**descriptor, "annotations": annotations}]}
        (self.path / "index.json").write_text(json.dumps(root))


def local_name(content: Image | Index) -> str:
    """The name under which docker and ctr hold the content before it is tagged for a registry."""
    return f"berth.test/{content.layout.name}:{TAG}"


def make_image(path: Path, seed: str, sizes=IMAGE_LAYER_SIZES) -> Image:
    layout = Layout(path)
    descriptor, image = add_image(layout, seed, _layers(layout, seed, sizes), PLATFORMS[0])
    layout.root(descriptor, local_name(image))
    return image


def make_index(path: Path, seed: str) -> Index:
    layout = Layout(path)
    added = [
        add_image(layout, f"{seed}-{arch}", _layers(layout, f"{seed}-{arch}", PLATFORM_LAYER_SIZES), arch)
        for arch in PLATFORMS
    ]
    manifests = [
        {**descriptor, "platform": {"os": "linux", "architecture": image.architecture}}
        for descriptor, image in added
    ]
    descriptor = layout.document(
        IMAGE_INDEX, {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": manifests}
    )
    index = Index(path, descriptor["digest"], tuple(image for _, image in added))
    layout.root(descriptor, local_name(index))
    return index


def add_image(layout: Layout, seed: str, layers: tuple[Layer, ...], architecture: str) -> tuple[dict, Image]:
    """Adds config and manifest; returns the manifest's descriptor too."""
    config = layout.document(IMAGE_CONFIG, {
        "architecture": architecture,
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Cmd": ["/bin/true"], "Labels": {"seed": seed}},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": seed} for _ in layers],
    })
    descriptor = layout.document(IMAGE_MANIFEST, {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": config,
        "layers": [
            {"mediaType": IMAGE_LAYER, "size": layer.size, "digest": layer.digest} for layer in layers
        ],
    })
    image = Image(
        layout.path, descriptor["digest"], config["digest"], config["size"], layers, architecture
    )
    return descriptor, image


def _layers(layout: Layout, seed: str, sizes) -> tuple[Layer, ...]:
    return tuple(_add_layer(layout, f"{seed}-{n}", size) for n, size in enumerate(sizes))


def _add_layer(layout: Layout, seed: str, size: int) -> Layer:
    # Random bytes: what a client sends is then as long as what it was given, compressed again or not.
    data = random.Random(seed).randbytes(size)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo(f"data/{seed}")
        entry.size = size
        archive.addfile(entry, io.BytesIO(data))
    compressed = gzip.compress(tar.getvalue(), compresslevel=1, mtime=0)
    return Layer(layout.blob(compressed), len(compressed), sha256(tar.getvalue()))


def blob_path(layout: Path, digest: str) -> Path:
    algorithm, encoded = digest.split(":")
    return layout / "blobs" / algorithm / encoded
