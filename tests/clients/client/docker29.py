"""Docker's engine 29, with containerd's image store, which keeps manifests and layers as they are."""

from harness.archive import oci_archive
from harness.content import local_name
from harness.pulled import store_holds
from harness.tool import built

from .containerd import Ctr2, containerd
from .docker import Docker20, engine


class Docker29(Docker20):
    name = "docker-29"
    needs = ("docker-29", "containerd-2", "docker-20")
    keeps_bytes = True
    puts_layers = True
    mounts_config = True
    containerd = None

    def start(self):
        self.containerd = containerd(self, built("containerd"), Ctr2.config)
        self.daemon = engine(self, [
            built("dockerd"), "--containerd", self.temp / "containerd.sock",
            "--feature", "containerd-snapshotter=true",
        ])
        self.docker("version")

    def stop(self):
        super().stop()
        if self.containerd:
            self.containerd.stop()

    def push(self, content, repository, tag):
        name = local_name(content)
        if not self.docker("image", "ls", "--quiet", name):
            archive = oci_archive(content, self.temp / "load.tar")
            self.docker("load", "--input", archive)
            archive.unlink()
        return self.push_name(name, repository, tag)

    def pull(self, content, repository, tag):
        for image in content.images:
            self.forget_all()
            reference = self.ref(repository, tag)
            self.docker("pull", "--platform", f"linux/{image.architecture}", reference)
            store_holds(self.stored, {content.digest} | image.digests)

    def stored(self, digest: str) -> bytes:
        # The engine keeps its content in containerd's namespace `moby`.
        return self.shell.run_bytes(
            built("ctr"), "-a", self.temp / "containerd.sock", "-n", "moby",
            "content", "get", digest,
        )
