"""crane: go-containerregistry's own tool, whose library ko and kaniko push with."""

from harness.pulled import layout_holds
from harness.tool import built

from .base import ImageClient


class Crane(ImageClient):
    name = "crane"
    needs = ("crane",)
    declares_length = True
    needs_challenge = False

    def crane(self, *argv, stdin: str = "") -> str:
        return self.run(built("crane"), *argv, "--insecure", stdin=stdin)

    def login(self, user, password):
        self.crane("auth", "login", self.host, "--username", user, "--password-stdin", stdin=password)

    def logout(self):
        self.crane("auth", "logout", self.host)

    def push(self, content, repository, tag):
        told = self.crane("push", content.layout, self.ref(repository, tag))
        return told.strip().rpartition("@")[2]

    def pull(self, content, repository, tag):
        layout = self.new_layout(content)
        self.crane("pull", "--format=oci", self.ref(repository, tag), layout)
        layout_holds(layout, content.digests)

    def mount(self, image, source, target, tag):
        self.crane("copy", self.ref(source, tag), self.ref(target, tag))

    def delete_tag(self, repository, tag):
        self.crane("delete", self.ref(repository, tag))

    def delete_manifest(self, repository, digest):
        self.crane("delete", f"{self.host}/{repository}@{digest}")
