"""containerd's own client, ctr: 1.6 from Debian, and 2. nerdctl and BuildKit push with the same code."""

import json
from pathlib import Path

from harness.archive import oci_archive
from harness.content import local_name
from harness.process import Daemon
from harness.pulled import store_holds
from harness.server import HELPER
from harness.tool import built

from .base import Client, ImageClient


def containerd(client: Client, program: Path, config: str) -> Daemon:
    """Starts one on `client.temp`, and waits until it answers on `containerd.sock` there."""
    path = client.temp / "containerd.toml"
    path.write_text(config.format(temp=client.temp))
    daemon = Daemon(client.name, [program, "--config", path], client.shell.env,
                    client.temp / "containerd.log")
    daemon.until((client.temp / "containerd.sock").is_socket, "its socket is there")
    return daemon


class Ctr1(ImageClient):
    name = "ctr-1"
    needs = ("containerd-1",)
    mounts_what_it_pulled = True
    puts_layers = True
    reads_docker_config = False
    needs_root = True
    config = """
version = 2
root = "{temp}/root"
state = "{temp}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{temp}/containerd.sock"
[ttrpc]
address = "{temp}/containerd.sock.ttrpc"
"""
    daemon: Daemon | None = None
    user: tuple[str, ...] = ()

    def programs(self) -> tuple[Path, Path]:
        return Path("/usr/bin/containerd"), Path("/usr/bin/ctr")

    def ctr(self, *argv) -> str:
        return self.ctr_bytes(*argv).decode()

    def ctr_bytes(self, *argv) -> bytes:
        return self.shell.run_bytes(self.programs()[1], "-a", self.temp / "containerd.sock", *argv)

    def start(self):
        self.daemon = containerd(self, self.programs()[0], self.config)
        self.ctr("version")

    def stop(self):
        if self.daemon:
            self.daemon.stop()

    def logs(self):
        return self.daemon.output() if self.daemon else ""

    def login(self, user, password):
        # It has no login: every command is given them.
        self.user = ("--user", f"{user}:{password}")

    def logout(self):
        self.user = ()

    def login_by_aws(self):
        # The helper's answer is put in by hand, or by a script.
        told = json.loads(self.run(HELPER, "get", stdin=self.host))
        self.login(told["Username"], told["Secret"])
        return "by docker-credential-berth get, for --user"

    def logout_by_aws(self):
        self.logout()

    def images(self) -> list[str]:
        return self.ctr("images", "ls", "--quiet").split()

    def push(self, content, repository, tag):
        name, reference = local_name(content), self.ref(repository, tag)
        if name not in self.images():
            archive = oci_archive(content, self.temp / "import.tar")
            self.ctr("images", "import", "--no-unpack", "--all-platforms", archive)
            archive.unlink()
        self.ctr("images", "tag", "--force", name, reference)
        self.ctr("images", "push", "--plain-http", *self.user, reference)

    def pull(self, content, repository, tag):
        # Only what was fetched by this pull may be there after it.
        self.ctr("images", "rm", "--sync", *self.images())
        # The native snapshotter: overlay is not to be had in every sandbox.
        self.ctr("images", "pull", "--plain-http", *self.user, "--all-platforms", "--snapshotter", "native",
                 self.ref(repository, tag))
        store_holds(lambda digest: self.ctr_bytes("content", "get", digest), content.digests)

    def mount(self, image, source, target, tag):
        self.ctr("images", "tag", "--force", self.ref(source, tag), self.ref(target, tag))
        self.ctr("images", "push", "--plain-http", *self.user, self.ref(target, tag))


class Ctr2(Ctr1):
    name = "ctr-2"
    needs = ("containerd-2",)
    config = Ctr1.config.replace("version = 2", "version = 3").replace(
        '"io.containerd.grpc.v1.cri"',
        '"io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"',
    )

    def programs(self):
        return built("containerd"), built("ctr")
