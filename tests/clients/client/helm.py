"""helm: charts. One is a manifest with a config and a single layer, the packaged chart."""

import shutil

from harness.content import sha256
from harness.failure import equal, require
from harness.tool import built

from .base import Client

CHART, VERSION = "berthchart", "1.2.3"
TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: berth\ndata:\n  text: {{ .Values.text }}\n"


class Helm(Client):
    name = "helm"
    needs = ("helm",)
    puts_layers = True
    chart = CHART
    never = {"push index": "charts only"}

    def helm(self, *argv, stdin: str = "") -> str:
        return self.run(built("helm"), *argv, cwd=self.temp, stdin=stdin)

    def login(self, user, password):
        self.helm("registry", "login", "--plain-http", "--username", user, "--password-stdin", self.host, stdin=password)

    def logout(self):
        self.helm("registry", "logout", self.host)

    def start(self):
        chart = self.temp / CHART
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {CHART}\nversion: {VERSION}\n")
        (chart / "values.yaml").write_text("text: hello\n")
        (chart / "templates" / "map.yaml").write_text(TEMPLATE)
        self.helm("package", chart)
        self.package = self.temp / f"{CHART}-{VERSION}.tgz"

    def own_checks(self):
        return [
            ("push chart", self.push), ("push chart again", self.push_again),
            ("push elsewhere", self.push_elsewhere), ("pull chart", self.pull),
            ("template chart", self.template),
        ]

    def push_to(self, folder: str) -> str:
        """Pushes; returns the digest that helm tells."""
        told = self.helm("push", "--plain-http", self.package, f"oci://{self.host}/{folder}")
        return told.partition("Digest:")[2].split()[0]

    def stored(self, folder: str):
        """The chart's manifest, after a look at the bytes of its layer."""
        manifest = self.registry.manifest(f"{folder}/{CHART}", VERSION)
        [layer] = manifest.layers
        equal("layer", layer["digest"], sha256(self.package.read_bytes()))
        for blob in (layer, manifest.config):
            self.registry.blob(f"{folder}/{CHART}", blob["digest"])
        return manifest

    def push(self) -> str:
        told = self.push_to("helm")
        digest = self.stored("helm").digest
        equal("manifest digest as the client tells it", told, digest)
        require(self.traffic.uploads() != [], "no upload was seen")
        return digest[:19]

    def push_again(self) -> str:
        self.push_to("helm")
        equal("uploads with a body", [str(upload) for upload in self.traffic.uploads()], [])
        self.stored("helm")
        return "no blob sent"

    def push_elsewhere(self) -> str:
        self.push_to("helm/elsewhere")
        self.stored("helm/elsewhere")
        equal("mounts asked for", self.traffic.asked_to_mount(), set())
        return f"{self.traffic.uploaded_bytes()} bytes sent: it never asks for a mount"

    def pull_from(self, folder: str) -> None:
        """Pulls, and checks the chart's bytes."""
        target = self.temp / "pulled"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        self.helm("pull", "--plain-http", f"oci://{self.host}/{folder}/{CHART}", "--version", VERSION,
                  "--destination", target)
        pulled = sha256((target / self.package.name).read_bytes())
        equal("digest of the chart pulled", pulled, sha256(self.package.read_bytes()))

    def pull(self) -> str:
        self.pull_from("helm")
        return "bytes equal"

    def template(self) -> str:
        shown = self.helm("template", "--plain-http", f"oci://{self.host}/helm/{CHART}",
                          "--version", VERSION)
        require("text: hello" in shown, "the chart's template is not what was packaged")
        return "straight from the registry"
