"""regctl: regclient's own tool."""

from harness.content import TAG
from harness.pulled import layout_holds
from harness.tool import built

from .base import ImageClient


class Regctl(ImageClient):
    name = "regctl"
    needs = ("regctl",)
    uploads_in_pieces = True
    puts_layers = True

    def regctl(self, *argv, stdin: str = "") -> str:
        return self.run(built("regctl"), *argv, stdin=stdin)

    def login(self, user, password):
        self.regctl("registry", "login", self.host, "--user", user, "--pass-stdin", stdin=password)

    def logout(self):
        self.regctl("registry", "logout", self.host)

    def start(self):
        self.regctl("registry", "set", "--tls", "disabled", "--skip-check", self.host)

    def push(self, content, repository, tag):
        reference = self.ref(repository, tag)
        self.regctl("image", "copy", f"ocidir://{content.layout}:{TAG}", reference)
        return self.regctl("image", "digest", reference).strip()

    def pull(self, content, repository, tag):
        layout = self.new_layout(content)
        self.regctl("image", "copy", self.ref(repository, tag), f"ocidir://{layout}:{TAG}")
        layout_holds(layout, content.digests)

    def mount(self, image, source, target, tag):
        self.regctl("image", "copy", self.ref(source, tag), self.ref(target, tag))

    def delete_tag(self, repository, tag):
        self.regctl("tag", "delete", self.ref(repository, tag))

    def delete_manifest(self, repository, digest):
        self.regctl("manifest", "delete", f"{self.host}/{repository}@{digest}")
