"""skopeo, from Debian. Copies between a layout and the registry without a store of its own."""

from harness.content import TAG
from harness.pulled import layout_holds

from .base import ImageClient

SKOPEO = "/usr/bin/skopeo"


class Skopeo(ImageClient):
    name = "skopeo"
    needs = ("skopeo",)
    mounts_config = False

    def skopeo(self, *argv, stdin: str = "") -> str:
        # Passwords would otherwise lie in the machine's own /run.
        return self.run(SKOPEO, *argv, stdin=stdin, REGISTRY_AUTH_FILE=str(self.temp / "auth.json"))

    def login(self, user, password):
        self.skopeo("login", "--tls-verify=false", "--username", user, "--password-stdin", self.host, stdin=password)

    def copy(self, source: str, target: str, *options) -> None:
        self.skopeo("copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false",
                    *options, source, target)

    def push(self, content, repository, tag):
        told = self.temp / "digest"
        self.copy(f"oci:{content.layout}:{TAG}", f"docker://{self.ref(repository, tag)}",
                  "--digestfile", told)
        return told.read_text().strip()

    def pull(self, content, repository, tag):
        layout = self.temp / f"pulled-{content.layout.name}"
        self.copy(f"docker://{self.ref(repository, tag)}", f"oci:{layout}:{TAG}")
        layout_holds(layout, content.digests)

    def mount(self, image, source, target, tag):
        self.copy(f"docker://{self.ref(source, tag)}", f"docker://{self.ref(target, tag)}")

    def delete_manifest(self, repository, digest):
        self.skopeo("delete", "--tls-verify=false",
                    f"docker://{self.host}/{repository}@{digest}")
