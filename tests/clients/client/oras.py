"""oras: artifacts, and what refers to them."""

import json

from harness.content import TAG, sha256
from harness.failure import equal, require
from harness.pulled import layout_holds
from harness.tool import built

from .base import ImageClient

ARTIFACT = "artifact"
ARTIFACT_TYPE = "application/vnd.berth.test.artifact"
SBOM_TYPE = "application/vnd.berth.test.sbom"


class Oras(ImageClient):
    name = "oras"
    needs = ("oras",)
    puts_layers = True

    def oras(self, *argv, cwd=None, stdin: str = "") -> str:
        return self.run(built("oras"), *argv, cwd=cwd, stdin=stdin)

    def login(self, user, password):
        self.oras("login", "--plain-http", "--username", user, "--password-stdin", self.host, stdin=password)

    def logout(self):
        self.oras("logout", self.host)

    def push(self, content, repository, tag):
        reference = self.ref(repository, tag)
        self.oras("cp", "--from-oci-layout", f"{content.layout}:{TAG}", "--to-plain-http", reference)
        return self.oras("resolve", "--plain-http", reference).strip()

    def pull(self, content, repository, tag):
        layout = self.new_layout(content)
        self.oras("cp", "--from-plain-http", self.ref(repository, tag),
                  "--to-oci-layout", f"{layout}:{TAG}")
        layout_holds(layout, content.digests)

    def mount(self, image, source, target, tag):
        self.oras("cp", "--from-plain-http", self.ref(source, tag),
                  "--to-plain-http", self.ref(target, tag))

    def delete_manifest(self, repository, digest):
        self.oras("manifest", "delete", "--plain-http", "--force",
                  f"{self.host}/{repository}@{digest}")

    def own_checks(self):
        return [
            ("push artifact", self.push_artifact), ("attach", self.attach),
            ("discover", self.discover), ("referrers", self.referrers),
            ("pull artifact", self.pull_artifact),
        ]

    @property
    def repository(self) -> str:
        return f"{self.name}/{ARTIFACT}"

    def file(self, name: str) -> bytes:
        return f"the {name} of an artifact\n".encode() * 1000

    def push_artifact(self) -> str:
        (self.temp / "manual.txt").write_bytes(self.file("manual"))
        self.oras("push", "--plain-http", "--artifact-type", ARTIFACT_TYPE,
                  self.ref(self.repository, TAG), "manual.txt:text/plain", cwd=self.temp)
        manifest = self.registry.manifest(self.repository, TAG)
        equal("artifact type", manifest.document["artifactType"], ARTIFACT_TYPE)
        equal("layer", manifest.layers[0]["digest"], sha256(self.file("manual")))
        return manifest.digest[:19]

    def attach(self) -> str:
        (self.temp / "sbom.txt").write_bytes(self.file("sbom"))
        told = json.loads(self.oras(
            "attach", "--plain-http", "--format", "json", "--artifact-type", SBOM_TYPE,
            self.ref(self.repository, TAG), "sbom.txt:text/plain", cwd=self.temp,
        ))
        attached = self.registry.manifest(self.repository, told["digest"])
        subject = self.registry.manifest(self.repository, TAG)
        equal("subject", attached.document["subject"]["digest"], subject.digest)
        equal("layer", attached.layers[0]["digest"], sha256(self.file("sbom")))
        return attached.digest[:19]

    def attached(self) -> list[tuple[str, str]]:
        told = json.loads(self.oras(
            "discover", "--plain-http", "--format", "json", self.ref(self.repository, TAG)
        ))
        # The first name is that of oras 1.3, the second that of earlier ones.
        found = told.get("referrers") or told.get("manifests") or []
        return [(entry["digest"], entry["artifactType"]) for entry in found]

    def discover(self) -> str:
        found = self.attached()
        equal("artifact types discovered", [kind for _, kind in found], [SBOM_TYPE])
        return found[0][0][:19]

    def referrers(self) -> str:
        subject = self.registry.manifest(self.repository, TAG).digest
        answer = self.registry.json(f"/v2/{self.repository}/referrers/{subject}")
        entries = [(entry["digest"], entry["artifactType"]) for entry in answer["manifests"]]
        equal("entries of the referrers API", entries, self.attached())
        tags = self.registry.tags(self.repository)
        require(tags == [TAG], f"tags {tags}: the client fell back to a referrers tag")
        return "by the API, no fallback tag"

    def pull_artifact(self) -> str:
        target = self.temp / "pulled-artifact"
        digest, _ = self.attached()[0]
        self.oras("pull", "--plain-http", "-o", target, self.ref(self.repository, TAG))
        self.oras("pull", "--plain-http", "-o", target, f"{self.host}/{self.repository}@{digest}")
        for name in ("manual", "sbom"):
            require((target / f"{name}.txt").read_bytes() == self.file(name), f"{name}.txt differs")
        return "bytes equal"
