"""podman and buildah, from Debian: one store and one set of verbs."""

import json

from harness.content import TAG, Image, Index
from harness.failure import equal, require

from .base import ImageClient
from .skopeo import own_runtime


class Podman(ImageClient):
    name = "podman"
    needs = ("podman",)
    keeps_bytes = False
    mounts_config = False
    program = "/usr/bin/podman"

    def options(self) -> list:
        # Its locks and events otherwise lie in the machine's own /run/libpod.
        return ["--tmpdir", self.temp / "tmp", "--events-backend", "none"]

    def podman(self, *argv, stdin: str = "") -> str:
        # vfs: overlay is not to be had in every sandbox.
        return self.run(self.program, "--root", self.temp / "root", "--runroot", self.temp / "run",
                        "--storage-driver", "vfs", *self.options(), *argv, stdin=stdin, **own_runtime(self.temp))

    def login(self, user, password):
        self.podman("login", "--tls-verify=false", "--username", user, "--password-stdin", self.host, stdin=password)

    def logout(self):
        self.podman("logout", self.host)

    def start(self):
        self.local: dict[str, str] = {}
        self.podman("info")

    def push(self, content, repository, tag):
        if isinstance(content, Index):
            return self.push_list(content, repository, tag)
        if content.digest not in self.local:
            self.local[content.digest] = self.load(content)
        return self.push_id(self.local[content.digest], repository, tag)

    def load(self, image: Image) -> str:
        """Puts it into the client's store; returns its id there, which is the config's digest."""
        told = self.podman("pull", "--quiet", f"oci:{image.layout}:{TAG}").strip().splitlines()[-1]
        equal("image id", "sha256:" + told, image.config)
        return told

    def push_id(self, image_id: str, repository: str, tag: str) -> str:
        told = self.temp / "digest"
        self.podman("push", "--quiet", "--tls-verify=false", "--format", "oci", "--digestfile", told,
                    image_id, f"docker://{self.ref(repository, tag)}")
        return told.read_text().strip()

    def push_list(self, index: Index, repository: str, tag: str) -> str:
        name = self.ref(repository, tag)
        self.podman("manifest", "create", name)
        self.podman("manifest", "add", "--all", name, f"oci:{index.layout}:{TAG}")
        told = self.temp / "digest"
        self.podman("manifest", "push", "--all", "--quiet", "--tls-verify=false", "--format", "oci",
                    "--digestfile", told, name, f"docker://{name}")
        self.podman("manifest", "rm", name)
        return told.read_text().strip()

    def pull(self, content, repository, tag):
        for image in content.images:
            self.podman("rmi", "--all", "--force")
            self.local.clear()
            told = self.podman("pull", "--quiet", "--tls-verify=false", "--arch", image.architecture,
                               self.ref(repository, tag)).strip().splitlines()[-1]
            equal("image id", "sha256:" + told, image.config)
            digest = self.registry.manifest(repository, tag).digest
            self.inspect(image, told, f"{self.host}/{repository}@{digest}")

    def inspect(self, image: Image, image_id: str, reference: str) -> None:
        [facts] = json.loads(self.podman("image", "inspect", image_id))
        equal("layers", facts["RootFS"]["Layers"], [layer.diff_id for layer in image.layers])
        require(reference in facts["RepoDigests"], f"{reference} not in {facts['RepoDigests']}")

    def mount(self, image, source, target, tag):
        # The client knows from its push where the registry has the layers.
        self.push_id(self.local[image.digest], target, tag)


class Buildah(Podman):
    name = "buildah"
    needs = ("buildah",)
    program = "/usr/bin/buildah"

    def options(self):
        return []

    def inspect(self, image, image_id, reference):
        facts = json.loads(self.podman("inspect", "--type", "image", image_id))
        equal("layers", facts["OCIv1"]["rootfs"]["diff_ids"], [layer.diff_id for layer in image.layers])
