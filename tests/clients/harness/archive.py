"""The same content as one tar file, for the clients that load no folder."""

import gzip
import io
import json
import shutil
import tarfile
from pathlib import Path

from .content import Image, Index, blob_path, local_name


def oci_archive(content: Image | Index, path: Path) -> Path:
    with tarfile.open(path, "w") as archive:
        archive.add(content.layout, arcname=".")
    return path


def docker_archive(image: Image, path: Path, name: str | None = None) -> Path:
    """What `docker save` of the classic store writes: uncompressed layers and a manifest.json."""
    config = image.config.removeprefix("sha256:") + ".json"
    layers = [layer.diff_id.removeprefix("sha256:") + "/layer.tar" for layer in image.layers]
    manifest = [{"Config": config, "RepoTags": [name or local_name(image)], "Layers": layers}]
    with tarfile.open(path, "w") as archive:
        for file, layer in zip(layers, image.layers):
            plain = path.with_suffix(".layer")
            with gzip.open(blob_path(image.layout, layer.digest)) as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)  # a layer need not fit into memory
            archive.add(plain, arcname=file)
            plain.unlink()
        _add(archive, config, blob_path(image.layout, image.config).read_bytes())
        _add(archive, "manifest.json", json.dumps(manifest).encode())
    return path


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
