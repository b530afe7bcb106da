"""The image: its Dockerfile is built by buildah, with stand-ins for the two base images and for cargo, and then run.

The stand-ins have what the build uses of the real ones. They do not show that those are as expected, and
nothing is compiled: the `cargo` in them answers with a berth that is built already.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import tool
from harness.process import PATH, Daemon
from harness.registry import Registry
from harness.server import berth_binary, free_port
from report import Report, equal, require
from tools import ROOT

# What the build's base image has that the Dockerfile uses.
COMMANDS = ("/bin/sh", "/usr/bin/install", "/bin/cp", "/bin/mkdir")
# It fails on a context that has less than a build needs, or more: such as a target folder of gigabytes.
CARGO = """\
#!/bin/sh
set -e
[ "$*" = "build --locked --release --bin berth" ] || exit 1
for needed in Cargo.toml Cargo.lock src/bin/berth/main.rs infra/local/Cargo.toml; do [ -f $needed ] || exit 1; done
for more in .git .clients docs target/debug tests; do [ ! -e $more ] || exit 1; done
mkdir -p target/release
cp /built target/release/berth
"""


def run(report: Report) -> None:
    if tool.version("buildah") is None:
        report.missing("image", "run tests/clients/install buildah")
    elif not berth_binary().is_file():
        report.missing("image", f"no {berth_binary()}: build it, or name another by BERTH_BIN")
    elif os.geteuid() != 0:
        report.missing("image", "chroot requires root")
    else:
        with report.around("image"), tempfile.TemporaryDirectory(prefix="berth-") as temp:
            check(report, Buildah(Path(temp)))


def check(report: Report, buildah: "Buildah") -> None:
    image: list[Image] = []
    with report.check("image", "the Dockerfile builds, with what .dockerignore leaves"):
        image.append(buildah.build())
    if image:
        report.run("image", {
            "it runs as a user without privileges": image[0].user,
            "it exposes the port, and has a volume for the data": image[0].places,
            "its command serves, and keeps what is pushed in the volume": lambda: serves(image[0], {}, kept=True),
            "another storage needs no more than its own variable":
                lambda: serves(image[0], {"REGISTRY_STORAGE": "inmemory"}, kept=False),
        })


class Image:
    """The configuration of an image, and its root file system."""

    def __init__(self, configuration: dict, root: Path):
        self.configuration, self.root = configuration, root

    def user(self) -> str:
        """By number, as Kubernetes' runAsNonRoot requires."""
        uid, gid = self.configuration["User"].split(":")
        require(uid.isdigit() and int(uid) > 0 and gid.isdigit() and int(gid) > 0, self.configuration["User"])
        return f"{uid}:{gid}"

    def places(self) -> None:
        equal("ports", list(self.configuration["ExposedPorts"]), ["5000/tcp"])
        equal("volumes", list(self.configuration["Volumes"]), ["/data"])

    def variables(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.configuration["Env"])


class Buildah:
    """With a storage of its own, below `temp`."""

    def __init__(self, temp: Path):
        self.temp = temp
        self.options = ["--root", temp / "store", "--runroot", temp / "run", "--storage-driver", "vfs"]

    def call(self, *command) -> str:
        argv = [str(word) for word in ("buildah", *self.options, *command)]
        environment = {"PATH": PATH, "HOME": str(self.temp), "TMPDIR": str(self.temp)}
        said = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True)
        require(said.returncode == 0, said.stdout + said.stderr)
        return said.stdout.strip()

    def build(self) -> Image:
        for name, fill in stand_ins().items():
            root = self.temp / fill.__name__
            root.mkdir()
            fill(root)
            (self.temp / "Dockerfile").write_text("FROM scratch\nCOPY . /\nENV PATH=/bin:/usr/bin\n")
            self.call("bud", "-q", "-f", self.temp / "Dockerfile", "-t", name, root)
        self.call("bud", "-q", "--isolation", "chroot", "--pull-never", "-t", "berth", ".")
        configuration = json.loads(self.call("inspect", "--type", "image", "berth"))["OCIv1"]["config"]
        return Image(configuration, Path(self.call("mount", self.call("from", "--pull-never", "berth"))))


def stand_ins() -> dict:
    """What fills the root file system of each base image, by the image's name."""
    names = [line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM ")]
    full = [name if "." in name.split("/")[0] else f"docker.io/library/{name}" for name in names]
    return dict(zip(full, (builder, runtime), strict=True))


def builder(root: Path) -> None:
    for command in COMMANDS:
        copy(Path(command), root)
        libraries(Path(command), root)
    cargo = root / "usr" / "bin" / "cargo"
    cargo.write_text(CARGO)
    cargo.chmod(0o755)
    shutil.copy(berth_binary(), root / "built")


def runtime(root: Path) -> None:
    libraries(berth_binary(), root)


def libraries(program: Path, root: Path) -> None:
    """The shared libraries that ldd(1) names, and the loader."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for word in said.split():
        if word.startswith("/"):
            copy(Path(word), root)


def copy(file: Path, root: Path) -> None:
    to = root / file.relative_to("/")
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, to)


@contextmanager
def container(image: Image, variables: dict[str, str]) -> Iterator[Registry]:
    """The image's command as its user in its root file system, but on loopback, at a port that is free."""
    said = image.variables()
    equal("address", said["REGISTRY_HTTP_ADDR"], ":5000")
    host = f"127.0.0.1:{free_port()}"
    # chroot(1) goes to `/`, which is to be the image's working directory.
    equal("working directory", image.configuration["WorkingDir"], "/")
    command = ["/usr/sbin/chroot", f"--userspec={image.user()}", image.root]
    command += image.configuration["Entrypoint"] + image.configuration["Cmd"]
    log = image.root.parent / "log"
    daemon = Daemon("berth", command, said | variables | {"REGISTRY_HTTP_ADDR": host}, log)
    try:
        registry = Registry(host, daemon.output)
        daemon.until(registry.answers, "GET /v2/ answers 200")
        yield registry
    finally:
        code = daemon.stop()
    equal("exit code after SIGTERM, by which Docker stops it", code, 0)


def serves(image: Image, variables: dict[str, str], kept: bool) -> None:
    content = b"kept"
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    with container(image, variables) as registry:
        url = f"http://{registry.host}/v2/team/app/blobs/uploads/?digest={digest}"
        with urllib.request.urlopen(urllib.request.Request(url, content, method="POST"), timeout=30) as answer:
            equal("status", answer.status, 201)
        files = [file for file in (image.root / "data").rglob("data") if file.is_file()]
        equal("blobs in the volume", [file.read_bytes() for file in files], [content] if kept else [])
        shutil.rmtree(image.root / "data" / "docker", ignore_errors=True)
