"""Docker's engine 20.10 from Debian, with its classic store, which keeps layers as tar files."""

import json

from harness.archive import docker_archive
from harness.content import Image, Index, local_name
from harness.failure import equal, require
from harness.process import Daemon

from .base import Client, ImageClient

DOCKER = "/usr/bin/docker"
DOCKERD = "/usr/sbin/dockerd"


def engine(client: Client, argv: list) -> Daemon:
    """Starts an engine that touches nothing of the machine's network, and waits until it answers."""
    socket = client.temp / "docker.sock"
    daemon = Daemon(client.name, [
        *argv, "--data-root", client.temp / "data", "--exec-root", client.temp / "exec",
        "-H", f"unix://{socket}", "--pidfile", client.temp / "docker.pid",
        "--iptables=false", "--ip6tables=false", "--bridge=none", "--insecure-registry", "127.0.0.0/8",
    ], client.shell.env, client.temp / "dockerd.log")
    daemon.until(socket.is_socket, "its socket is there")
    return daemon


class Docker20(ImageClient):
    name = "docker-20"
    needs = ("docker-20", "containerd-1")
    needs_root = True
    keeps_bytes = False
    mounts_config = False
    daemon: Daemon | None = None

    def docker(self, *argv, stdin: str = "") -> str:
        return self.run(DOCKER, "-H", f"unix://{self.temp}/docker.sock", *argv, stdin=stdin)

    def login(self, user, password):
        self.docker("login", "--username", user, "--password-stdin", self.host, stdin=password)

    def logout(self):
        self.docker("logout", self.host)

    def start(self):
        self.daemon = engine(self, [DOCKERD, "--storage-driver", "vfs"])
        self.docker("version")

    def stop(self):
        if self.daemon:
            self.daemon.stop()

    def logs(self):
        return self.daemon.output() if self.daemon else ""

    def push(self, content, repository, tag):
        if isinstance(content, Index):
            return self.push_list(content, repository, tag)
        name = local_name(content)
        if not self.docker("image", "ls", "--quiet", name):
            self.load(content, name)
        return self.push_name(name, repository, tag)

    def load(self, image: Image, name: str) -> None:
        archive = docker_archive(image, self.temp / "load.tar", name)
        self.docker("load", "--input", archive)
        archive.unlink()

    def push_name(self, name: str, repository: str, tag: str) -> str:
        self.docker("tag", name, self.ref(repository, tag))
        # The last line: `TAG: digest: sha256:... size: N`.
        told = self.docker("push", self.ref(repository, tag)).strip().splitlines()[-1].split()
        require("digest:" in told, f"push told no digest: {told}")
        return told[told.index("digest:") + 1]

    def push_list(self, index: Index, repository: str, tag: str) -> str:
        parts = []
        for image in index.images:
            name = f"berth.test/{image.architecture}:1"
            self.load(image, name)
            self.push_name(name, repository, image.architecture)
            parts.append(self.ref(repository, image.architecture))
        self.docker("manifest", "create", "--insecure", self.ref(repository, tag), *parts)
        return self.docker("manifest", "push", "--insecure", self.ref(repository, tag)).strip()

    def forget_all(self) -> None:
        self.docker("image", "prune", "--all", "--force")
        equal("images left", self.docker("image", "ls", "--quiet", "--all"), "")

    def pull(self, content, repository, tag):
        for image in content.images:
            self.forget_all()
            reference = self.ref(repository, tag)
            self.docker("pull", "--platform", f"linux/{image.architecture}", reference)
            [facts] = json.loads(self.docker("image", "inspect", reference))
            equal("image id", facts["Id"], image.config)
            equal("layers", facts["RootFS"]["Layers"], [layer.diff_id for layer in image.layers])
            digest = self.registry.manifest(repository, tag).digest
            equal("repository digests", facts["RepoDigests"], [f"{self.host}/{repository}@{digest}"])

    def mount(self, image, source, target, tag):
        self.push_name(local_name(image), target, tag)
