"""An image to push: an OCI image layout and a docker archive with the same content, one layer of random bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

TAG = "1"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def layer(size: int) -> bytes:
    """An uncompressed tar file with one file of random content."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        entry = tarfile.TarInfo("content")
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    return file.getvalue()


class Image:
    def __init__(self, folder: Path, size: int):
        """`size` is of the layer, in bytes."""
        self.layout, self.archive = folder / "layout", folder / "image.tar"
        content = layer(size)
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(content)}"]},
            }
        ).encode()
        blobs = self.layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        (self.layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

        def descriptor(kind: str, data: bytes) -> dict:
            (blobs / sha256(data)).write_bytes(data)
            return {
                "mediaType": f"application/vnd.oci.image.{kind}",
                "digest": f"sha256:{sha256(data)}",
                "size": len(data),
            }

        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": descriptor("config.v1+json", config),
                "layers": [descriptor("layer.v1.tar", content)],
            }
        ).encode()
        root = {**descriptor("manifest.v1+json", manifest), "annotations": {"org.opencontainers.image.ref.name": TAG}}
        (self.layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
        self.write_archive(config, content)

    def write_archive(self, config: bytes, content: bytes) -> None:
        """For `docker load`."""
        listed = [{"Config": "config.json", "RepoTags": [f"verify:{TAG}"], "Layers": ["layer.tar"]}]
        with tarfile.open(self.archive, "w") as tar:
            for name, data in (
                ("config.json", config),
                ("layer.tar", content),
                ("manifest.json", json.dumps(listed).encode()),
            ):
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
