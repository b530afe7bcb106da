"""The checks that every client of images goes through. They ask the registry's own API and the
recorded traffic what came of the client's work, and never take the client's word alone."""

from client.base import Client

from .content import TAG, Image, Index
from .failure import equal, require
from .registry import Manifest

OTHER_TAG = "other"


class ImageChecks:
    def __init__(self, client: Client, image: Image, index: Index):
        self.client, self.image, self.index = client, image, index
        self.registry, self.traffic = client.registry, client.traffic
        # Two components, as real names have, and none shared between clients.
        self.pushed, self.mounted, self.indexed = (
            f"{client.name}/{what}" for what in ("image", "mounted", "index")
        )

    def before(self) -> list:
        """Pairs of a name and a function that returns the detail to print, in the order to run."""
        mount = [("mount", self.mount)]
        pull = [("pull", self.pull)]
        return [
            ("push", self.push), ("push again", self.push_again),
            *(pull + mount if self.client.mounts_what_it_pulled else mount + pull),
            ("push index", self.push_index), ("pull index", self.pull_index),
        ]

    def after(self) -> list:
        """The same, for after the client's own checks: these take away what was pushed."""
        deletes = [("delete tag", self.delete_tag), ("delete manifest", self.delete_manifest)]
        return [
            (name, check) for name, check in deletes
            if self.client.overrides(name.replace(" ", "_"))
        ]

    def push(self) -> str:
        told = self.client.push(self.image, self.pushed, TAG)
        manifest = self.same_image(self.pushed, TAG, self.image)
        if told:
            equal("manifest digest as the client tells it", told, manifest.digest)
        # Or the recorder missed something, and the checks that nothing was sent prove nothing. podman, buildah and skopeo
        # share a cache of where blobs are, and may mount what another of them has pushed.
        sent, mounted = self.traffic.uploaded_bytes(), self.traffic.mounted()
        stored = sum(layer["size"] for layer in manifest.layers if layer["digest"] not in mounted)
        require(sent >= stored, f"{sent} bytes were seen to be sent of {stored} in the layers")
        return f"{manifest.digest[:19]} {sent >> 20} MiB"

    def push_again(self) -> str:
        before = self.registry.manifest(self.pushed, TAG).digest
        # Under another tag too: some clients ask for the manifest first, and stop if it is there.
        for tag in (TAG, OTHER_TAG):
            self.client.push(self.image, self.pushed, tag)
            equal(f"manifest digest of {tag}", self.registry.manifest(self.pushed, tag).digest, before)
        require(self.traffic.requests() != [], "the client asked the registry nothing")
        self._nothing_sent()
        return "no blob sent, nor under another tag"

    def mount(self) -> str:
        self.client.mount(self.image, self.pushed, self.mounted, TAG)
        manifest = self.same_image(self.mounted, TAG, self.image)
        equal("manifest digest", manifest.digest, self.registry.manifest(self.pushed, TAG).digest)
        layers = {layer["digest"] for layer in manifest.layers}
        config = manifest.config
        expected = layers | {config["digest"]} if self.client.mounts_config else layers
        mounted = self.traffic.mounted()
        equal("blobs that no mount answered 201 for", sorted(expected - mounted), [])
        if self.client.mounts_config:
            self._nothing_sent()
            return f"{len(mounted)} blobs, nothing sent"
        sent = self.traffic.uploaded_bytes()
        require(sent <= config["size"], f"{sent} bytes sent, the config has {config['size']}")
        return f"{len(mounted)} layers; the config ({sent} bytes) it sends always"

    def pull(self) -> str:
        self.client.pull(self.image, self.pushed, TAG)
        self.fetched(self.registry.manifest(self.pushed, TAG))
        return "digests equal"

    def push_index(self) -> str:
        told = self.client.push(self.index, self.indexed, TAG)
        index = self.registry.manifest(self.indexed, TAG)
        if told:
            equal("index digest as the client tells it", told, index.digest)
        if self.client.keeps_bytes:
            equal("index digest", index.digest, self.index.digest)
        entries = {
            entry["platform"]["architecture"]: entry["digest"]
            for entry in index.document["manifests"]
        }
        equal("platforms", sorted(entries), sorted(image.architecture for image in self.index.images))
        for image in self.index.images:
            self.same_image(self.indexed, entries[image.architecture], image)
        return f"{index.digest[:19]} {len(entries)} platforms"

    def pull_index(self) -> str:
        self.client.pull(self.index, self.indexed, TAG)
        for entry in self.registry.manifest(self.indexed, TAG).document["manifests"]:
            self.fetched(self.registry.manifest(self.indexed, entry["digest"]))
        return "digests equal"

    def delete_tag(self) -> str:
        digest = self.registry.manifest(self.mounted, TAG).digest
        self.client.delete_tag(self.mounted, TAG)
        equal("status of the tag", self._status(self.mounted, TAG), 404)
        equal("status of its manifest", self._status(self.mounted, digest), 200)
        return "tag gone, manifest kept"

    def delete_manifest(self) -> str:
        digest = self.registry.manifest(self.pushed, TAG).digest
        self.client.delete_manifest(self.pushed, digest)
        equal("status of the manifest", self._status(self.pushed, digest), 404)
        for tag in (TAG, OTHER_TAG):
            equal(f"status of its tag {tag}", self._status(self.pushed, tag), 404)
        return "manifest and its tags gone"

    def _status(self, repository: str, reference: str) -> int:
        return self.registry.status(f"/v2/{repository}/manifests/{reference}", "HEAD")

    def _nothing_sent(self) -> None:
        equal("uploads with a body", [str(upload) for upload in self.traffic.uploads()], [])

    def same_image(self, repository: str, reference: str, image: Image) -> Manifest:
        """Fetches every blob of the image past the client and compares."""
        manifest = self.registry.manifest(repository, reference)
        if self.client.keeps_bytes:
            equal("manifest digest", manifest.digest, image.digest)
        equal("config digest", manifest.config["digest"], image.config)
        self.registry.blob(repository, image.config)
        diff_ids = [self.registry.diff_id(repository, layer) for layer in manifest.layers]
        equal("diff ids", diff_ids, [layer.diff_id for layer in image.layers])
        return manifest

    def fetched(self, manifest: Manifest) -> None:
        """Every layer was fetched since the check began."""
        layers = {layer["digest"] for layer in manifest.layers}
        unfetched = sorted(layers - self.traffic.blobs_fetched())
        equal("layers that the pull did not fetch", unfetched, [])
