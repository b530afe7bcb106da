"""skopeo, from Debian. Copies between a layout and the registry without a store of its own."""

from pathlib import Path

from harness.content import TAG
from harness.pulled import layout_holds

from .base import ImageClient

SKOPEO = "/usr/bin/skopeo"


def own_runtime(temp: Path) -> dict[str, str]:
    """The variable by which it keeps logins below `temp`, not in the machine's own /run. Where it finds none there it looks
    into Docker's configuration, as it would for a person; a REGISTRY_AUTH_FILE would be all that it looks into."""
    folder = temp / "runtime"
    folder.mkdir(mode=0o700, exist_ok=True)
    return {"XDG_RUNTIME_DIR": str(folder)}


class Skopeo(ImageClient):
    name = "skopeo"
    needs = ("skopeo",)
    declares_length = True
    mounts_config = False

    def skopeo(self, *argv, stdin: str = "") -> str:
        return self.run(SKOPEO, *argv, stdin=stdin, **own_runtime(self.temp))

    def login(self, user, password):
        self.skopeo("login", "--tls-verify=false", "--username", user, "--password-stdin", self.host, stdin=password)

    def logout(self):
        self.skopeo("logout", self.host)

    def copy(self, source: str, target: str, *options) -> None:
        self.skopeo("copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false",
                    *options, source, target)

    def push(self, content, repository, tag):
        told = self.temp / "digest"
        self.copy(f"oci:{content.layout}:{TAG}", f"docker://{self.ref(repository, tag)}",
                  "--digestfile", told)
        return told.read_text().strip()

    def pull(self, content, repository, tag):
        layout = self.new_layout(content)
        self.copy(f"docker://{self.ref(repository, tag)}", f"oci:{layout}:{TAG}")
        layout_holds(layout, content.digests)

    def mount(self, image, source, target, tag):
        self.copy(f"docker://{self.ref(source, tag)}", f"docker://{self.ref(target, tag)}")

    def delete_manifest(self, repository, digest):
        self.skopeo("delete", "--tls-verify=false",
                    f"docker://{self.host}/{repository}@{digest}")
