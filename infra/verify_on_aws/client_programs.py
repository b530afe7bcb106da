"""The clients which a run can drive, by their command lines; `plain` is a registry on loopback, without TLS."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from .image import TAG, Image
from .programs import find
from .registry import is_loopback
from .session import Session

SECONDS = 600
COLOR = re.compile(r"\x1b\[[0-9;]*m")
UPLOAD_STATE = re.compile(r"\b(_state|_edge)=[^&\s\"]+")


class Failed(Exception):
    """A client's command ended with an error."""


class Client:
    """A client's commands, as functions of the image; `{plain}` options are for a registry on loopback."""

    def __init__(self, name: str, session: Session, folder: Path):
        self.name, self.target, self.folder = name, session.target, folder
        self.program, self.plain = find(name), is_loopback(session.target.host)
        for place in ("home", "run"):
            (folder / place).mkdir(mode=0o700)
        self.environment = {
            **os.environ,
            "HOME": str(folder / "home"),
            "DOCKER_CONFIG": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "REGISTRY_AUTH_FILE": str(folder / "auth.json"),
            "HELM_CONFIG_HOME": str(folder / "helm"),
        }

    def run(self, *argv, stdin: str = "") -> str:
        done = subprocess.run(
            [self.program, *map(str, argv)],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            timeout=SECONDS,
            cwd=self.folder,
        )
        if done.returncode:
            # The password is an argument of ctr's; a URL of an upload holds its state.
            said = UPLOAD_STATE.sub(r"\1=..", COLOR.sub("", done.stdout.replace(self.target.password, "<password>")))
            raise Failed(" ".join(said.split())[-250:])
        return done.stdout

    def tls(self, option: str) -> list:
        return [option] if self.plain else []

    def reference(self, repository: str) -> str:
        return f"{self.target.host}/verify/{self.name}-{repository}:{TAG}"

    puts = False  # whether it sends a layer in one PUT with its length

    def missing(self) -> str:
        """Why it cannot be used; nothing when it can."""
        return ""

    def login(self) -> None:
        raise NotImplementedError

    def push(self, image: Image, repository: str) -> None:
        raise NotImplementedError

    def pull(self, repository: str) -> None:
        raise NotImplementedError


class Docker(Client):
    def __init__(self, name, session, folder):
        super().__init__(name, session, folder)
        self.environment.pop("HOME")

    def missing(self) -> str:
        try:
            self.run("info")
        except Failed:
            return "no Docker daemon answers"
        # The classic image store sends a PATCH without a length.
        self.puts = "io.containerd.snapshotter" in self.run("info", "--format", "{{.DriverStatus}}")
        return ""

    def login(self) -> None:
        self.run("login", "-u", self.target.user, "--password-stdin", self.target.host, stdin=self.target.password)

    def push(self, image, repository) -> None:
        self.run("load", "-i", image.archive)
        self.run("tag", f"verify:{TAG}", self.reference(repository))
        self.run("push", self.reference(repository))
        self.run("rmi", self.reference(repository), f"verify:{TAG}")

    def pull(self, repository) -> None:
        self.run("pull", self.reference(repository))
        self.run("rmi", self.reference(repository))


class Podman(Client):
    def podman(self, *argv, stdin: str = "") -> str:
        return self.run(
            "--root",
            self.folder / "root",
            "--runroot",
            self.folder / "runroot",
            "--storage-driver",
            "vfs",
            *argv,
            stdin=stdin,
        )

    def missing(self) -> str:
        try:
            self.podman("info")
        except Failed as failed:
            return f"podman cannot run here: {failed}"
        return ""

    def login(self) -> None:
        self.podman(
            "login",
            *self.tls("--tls-verify=false"),
            "--username",
            self.target.user,
            "--password-stdin",
            self.target.host,
            stdin=self.target.password,
        )

    def push(self, image, repository) -> None:
        told = self.podman("pull", "--quiet", f"oci:{image.layout}:{TAG}").strip().splitlines()[-1]
        self.podman(
            "push", *self.tls("--tls-verify=false"), "--format", "oci", told, f"docker://{self.reference(repository)}"
        )
        self.podman("rmi", "--all", "--force")

    def pull(self, repository) -> None:
        self.podman("pull", *self.tls("--tls-verify=false"), self.reference(repository))


class Skopeo(Client):
    def login(self) -> None:
        self.run(
            "login",
            *self.tls("--tls-verify=false"),
            "--username",
            self.target.user,
            "--password-stdin",
            self.target.host,
            stdin=self.target.password,
        )

    def push(self, image, repository) -> None:
        self.run(
            "copy",
            *self.tls("--dest-tls-verify=false"),
            f"oci:{image.layout}:{TAG}",
            f"docker://{self.reference(repository)}",
        )

    def pull(self, repository) -> None:
        self.run(
            "copy",
            *self.tls("--src-tls-verify=false"),
            f"docker://{self.reference(repository)}",
            f"oci:{self.folder / repository}:{TAG}",
        )


class Crane(Client):
    def login(self) -> None:
        self.run(
            "auth",
            "login",
            self.target.host,
            "--username",
            self.target.user,
            "--password-stdin",
            stdin=self.target.password,
        )

    def push(self, image, repository) -> None:
        self.run("push", image.layout, self.reference(repository), *self.tls("--insecure"))

    def pull(self, repository) -> None:
        self.run("pull", "--format=oci", self.reference(repository), self.folder / repository, *self.tls("--insecure"))


class Oras(Client):
    puts = True

    def login(self) -> None:
        self.run(
            "login",
            *self.tls("--plain-http"),
            "--username",
            self.target.user,
            "--password-stdin",
            self.target.host,
            stdin=self.target.password,
        )

    def push(self, image, repository) -> None:
        self.run(
            "cp", "--from-oci-layout", f"{image.layout}:{TAG}", *self.tls("--to-plain-http"), self.reference(repository)
        )

    def pull(self, repository) -> None:
        self.run(
            "cp",
            *self.tls("--from-plain-http"),
            self.reference(repository),
            "--to-oci-layout",
            f"{self.folder / repository}:{TAG}",
        )


class Regctl(Client):
    puts = True

    def login(self) -> None:
        if self.plain:
            self.run("registry", "set", "--tls", "disabled", "--skip-check", self.target.host)
        self.run(
            "registry",
            "login",
            self.target.host,
            "--user",
            self.target.user,
            "--pass-stdin",
            stdin=self.target.password,
        )

    def push(self, image, repository) -> None:
        self.run("image", "copy", f"ocidir://{image.layout}:{TAG}", self.reference(repository))

    def pull(self, repository) -> None:
        self.run("image", "copy", self.reference(repository), f"ocidir://{self.folder / repository}:{TAG}")


class Helm(Client):
    """Charts: the large one has files of 4 MB, which is near the most that helm takes."""

    puts = True

    def login(self) -> None:
        self.run(
            "registry",
            "login",
            *self.tls("--plain-http"),
            "--username",
            self.target.user,
            "--password-stdin",
            self.target.host,
            stdin=self.target.password,
        )

    def push(self, image, repository) -> None:
        chart = self.folder / repository
        chart.mkdir()
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {repository}\nversion: 1.0.0\n")
        for name in "ab" if repository == "large" else "a":
            (chart / name).write_bytes(os.urandom(4_000_000 if repository == "large" else 1000))
        self.run("package", chart)
        self.run("push", *self.tls("--plain-http"), f"{repository}-1.0.0.tgz", f"oci://{self.target.host}/verify/helm")

    def pull(self, repository) -> None:
        (self.folder / "pulled").mkdir(exist_ok=True)
        self.run(
            "pull",
            *self.tls("--plain-http"),
            f"oci://{self.target.host}/verify/helm/{repository}",
            "--version",
            "1.0.0",
            "-d",
            "pulled",
        )


class Ctr(Client):
    """containerd's own client, if its daemon answers."""

    puts = True

    def missing(self) -> str:
        try:
            self.run("version")
        except Failed:
            return "no containerd answers"
        return ""

    def login(self) -> None:
        self.user = ["--user", f"{self.target.user}:{self.target.password}"]

    def push(self, image, repository) -> None:
        self.run("image", "import", "--base-name", self.reference(repository).rpartition(":")[0], image.archive)
        self.run("image", "tag", "--force", f"docker.io/library/verify:{TAG}", self.reference(repository))
        self.run("image", "push", *self.tls("--plain-http"), *self.user, self.reference(repository))
        self.run("image", "rm", self.reference(repository), f"docker.io/library/verify:{TAG}")

    def pull(self, repository) -> None:
        self.run("image", "pull", *self.tls("--plain-http"), *self.user, self.reference(repository))
        self.run("image", "rm", self.reference(repository))


KINDS = {
    "docker": Docker,
    "podman": Podman,
    "skopeo": Skopeo,
    "crane": Crane,
    "oras": Oras,
    "helm": Helm,
    "regctl": Regctl,
    "ctr": Ctr,
}
