"""Fills a registry's folder with one of everything that the folder's format can hold."""

from dataclasses import dataclass
from pathlib import Path

from client.crane import Crane
from client.oras import Oras
from client.skopeo import Skopeo

from .content import TAG, Image, Index, make_image, make_index
from .failure import equal, require
from .process import Shell, environment
from .recorder import Recorder
from .registry import Registry
from .traffic import Traffic

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Material:
    first: Image
    second: Image
    index: Index

    @staticmethod
    def make(folder: Path) -> "Material":
        return Material(
            make_image(folder / "first", "first", (KIB, MIB)),
            make_image(folder / "second", "second", (KIB, 3 * MIB)),
            make_index(folder / "index", "index"),
        )


class Clients:
    """Three clients that push in three ways, at work on one registry. `temp` is theirs alone."""

    def __init__(self, temp: Path, registry: Registry, material: Material):
        temp.mkdir()
        self.registry, self.material = registry, material
        self.shell = Shell(environment(temp))
        self.recorder = Recorder(registry.address)
        self.traffic = Traffic(self.recorder)
        self.skopeo, self.crane, self.oras = (
            kind(temp, self.shell, self.recorder.host, registry, self.traffic)
            for kind in (Skopeo, Crane, Oras)
        )

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_) -> None:
        self.recorder.close()

    def fill(self) -> None:
        first, second = self.material.first, self.material.second
        self.skopeo.push(first, "library/alpha", "1")
        self.skopeo.push(first, "library/alpha", "latest")
        self.crane.push(second, "library/alpha", "2")
        self.skopeo.push(second, "moved", "latest")
        self.skopeo.push(first, "moved", "latest")
        schema2 = f"docker://{self.skopeo.ref('schema2', '1')}"
        self.skopeo.copy(f"oci:{first.layout}:{TAG}", schema2, "--format", "v2s2")
        self.crane.push(self.material.index, "a/deeply/nested/name", "multi")
        self.skopeo.mount(first, "library/alpha", "mounted/beta", "1")
        self.crane.push(second, "deleted/from", "1")
        self.crane.delete_manifest("deleted/from", second.digest)
        self.oras.push_artifact()
        self.oras.attach()

    def attached(self) -> dict[str, str]:
        """The manifests that no tag leads to, by repository."""
        [(digest, _)] = self.oras.attached()
        return {self.oras.repository: digest}

    def pull(self) -> None:
        self.skopeo.pull(self.material.first, "library/alpha", "latest")
        self.crane.pull(self.material.second, "library/alpha", "2")
        self.crane.pull(self.material.index, "a/deeply/nested/name", "multi")

    def add(self) -> None:
        """To a folder that the other registry filled: a tag, a mount, a new blob, a delete."""
        first, second = self.material.first, self.material.second
        self.crane.push(first, "library/alpha", "3")
        equal("blobs sent that the folder holds", [str(r) for r in self.traffic.uploads()], [])
        self.crane.mount(first, "library/alpha", "mounted/gamma", "1")
        require(self.traffic.mounted() >= {layer.digest for layer in first.layers}, "no mount was made")
        self.skopeo.push(second, "added", "1")
        self.crane.push(second, "moved", "latest")
        self.crane.delete_manifest("mounted/beta", first.digest)
