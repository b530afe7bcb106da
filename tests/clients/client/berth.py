"""Berth's own commands. They send the content of blobs to S3 itself (docs/direct-upload.md)."""

from harness.pulled import layout_holds
from harness.server import berth_binary

from .base import ImageClient


class Berth(ImageClient):
    name = "berth"
    needs = ()
    needs_challenge = False
    uploads_to_s3 = True

    def berth(self, *argv, stdin: str = "") -> str:
        return self.run(berth_binary(), *argv, stdin=stdin)

    def login(self, user, password):
        self.berth("login", self.host, "--username", user, "--password-stdin", stdin=password)

    def push(self, content, repository, tag):
        self.berth("push", content.layout, self.ref(repository, tag))

    def pull(self, content, repository, tag):
        layout = self.new_layout(content)
        self.berth("pull", self.ref(repository, tag), layout)
        layout_holds(layout, content.digests)

    def mount(self, image, source, target, tag):
        self.berth("copy", self.ref(source, tag), self.ref(target, tag))
