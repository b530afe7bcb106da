"""cosign: signs what is in the registry, and moves images together with their signatures."""

from harness.content import TAG
from harness.failure import Failure, require
from harness.pulled import layout_holds
from harness.tool import built

from .base import ImageClient

OVER_HTTP = ("--allow-http-registry", "--allow-insecure-registry")
SIGNATURE_BYTES = 64 << 10


class Cosign(ImageClient):
    name = "cosign"
    needs = ("cosign",)
    declares_length = True
    needs_challenge = False

    def cosign(self, *argv, stdin: str = "") -> str:
        # An empty password: otherwise it asks the terminal.
        return self.run(built("cosign"), *argv, cwd=self.temp, stdin=stdin, COSIGN_PASSWORD="")

    def login(self, user, password):
        self.cosign("login", self.host, "--username", user, "--password-stdin", stdin=password)

    def start(self):
        for pair in ("cosign", "other"):
            self.cosign("generate-key-pair", "--output-key-prefix", pair)

    def push(self, content, repository, tag):
        self.cosign("load", *OVER_HTTP, "--dir", content.layout, self.ref(repository, tag))

    def pull(self, content, repository, tag):
        layout = self.new_layout(content)
        self.cosign("save", *OVER_HTTP, "--dir", layout, self.ref(repository, tag))
        layout_holds(layout, content.digests)

    def mount(self, image, source, target, tag):
        self.cosign("copy", *OVER_HTTP, self.ref(source, tag), self.ref(target, tag))

    def own_checks(self):
        return [("sign", self.sign), ("verify", self.verify), ("sign again", self.sign_again)]

    @property
    def signed(self) -> str:
        digest = self.registry.manifest("cosign/image", TAG).digest
        return f"{self.host}/cosign/image@{digest}"

    def put_signature(self) -> None:
        # Without a transparency log: that one is on the net.
        self.cosign("sign", "--key", "cosign.key", "--tlog-upload=false",
                    "--use-signing-config=false", *OVER_HTTP, "--yes", self.signed)

    def check_signature(self, key: str) -> str:
        return self.cosign("verify", "--key", key, "--insecure-ignore-tlog=true", *OVER_HTTP,
                           self.signed)

    def sign(self) -> str:
        self.put_signature()
        sent = self.traffic.uploaded_bytes()
        require(0 < sent < SIGNATURE_BYTES, f"{sent} bytes sent for a signature")
        return f"{sent} bytes sent"

    def verify(self) -> str:
        told = self.check_signature("cosign.pub")
        digest = self.signed.rpartition("@")[2]
        require(digest in told, f"the verified payload does not name {digest}")
        try:
            self.check_signature("other.pub")
        except Failure:
            return "by its key, and by no other"
        raise Failure("verified by a key that did not sign")

    def sign_again(self) -> str:
        self.put_signature()
        sent = self.traffic.uploaded_bytes()
        require(sent < SIGNATURE_BYTES, f"{sent} bytes sent: the image again?")
        self.check_signature("cosign.pub")
        return f"{sent} bytes sent, a new signature"
