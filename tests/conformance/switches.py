"""Which runs there are, and how each sets the program's switches and the server's configuration."""

from dataclasses import dataclass

STORAGES = ["folder", "s3", "lambda"]
VERSIONS = ["1.1", "dev"]

# Every switch the program has. Naming them all, also those that are on by default, means that a
# version's defaults (1.1 leaves four of them off) hide no case.
API = [
    "PING",
    "PULL",
    "PUSH",
    "BLOBS_ATOMIC",
    "BLOBS_DELETE",
    "BLOBS_DIGEST_HEADER",
    "BLOBS_MOUNT_ANONYMOUS",
    "BLOBS_UPLOAD_CANCEL",
    "MANIFESTS_ATOMIC",
    "MANIFESTS_DELETE",
    "MANIFESTS_DIGEST_HEADER",
    "MANIFESTS_TAG_PARAM",
    "TAGS_ATOMIC",
    "TAGS_DELETE",
    "TAGS_LIST",
    "REFERRER",
]
DATA = [
    "IMAGE",
    "INDEX",
    "INDEX_LIST",
    "ARTIFACT",
    "SUBJECT",
    "SUBJECT_MISSING",
    "ARTIFACT_LIST",
    "SUBJECT_LIST",
    "DATA_FIELD",
    "NONDISTRIBUTABLE",
    "CUSTOM_FIELDS",
    "NO_LAYERS",
    "EMPTY_BLOB",
    "SHA512",
]


@dataclass(frozen=True)
class Run:
    """One start of the program against one registry."""

    registry: str  # a storage of Berth's, the local Lambda, or the host of a registry that runs already
    version: str
    variant: str  # everything, sparse or redirect; of the local Lambda cloudfront, http-api or fresh

    def name(self) -> str:
        return ", ".join([self.registry, self.version] + ([] if self.variant == "everything" else [self.variant]))

    def environment(self) -> dict[str, str]:
        """The OCI_* variables that set the switches."""
        on = {f"OCI_API_{name}" for name in API} | {f"OCI_DATA_{name}" for name in DATA}
        off = {"OCI_DATA_SPARSE"}
        if self.variant == "sparse":
            on, off = on | off, set()
        if self.redirects():
            # The program follows the redirect and reads Docker-Content-Digest from the last answer.
            # That one is S3's own, and S3 sends no such header: this switch says "not required".
            off.add("OCI_API_BLOBS_DIGEST_HEADER")
        return {"OCI_VERSION": self.version} | dict.fromkeys(on, "true") | dict.fromkeys(off, "false")

    def server_configuration(self) -> dict:
        """What the server's configuration holds beyond its storage and address."""
        # Only a server told so takes manifests that name what was never pushed; the default refuses them. The data
        # has an index whose platform is missing, and an image whose layer is.
        lenient = {"validation": {"manifests": {"indexes": {"platforms": "none"}, "images": {"layers": "none"}}}}
        return lenient if self.variant == "sparse" else {}

    def redirects(self) -> bool:
        return self.variant == "redirect" or self.registry == "lambda"


def matrix(storages: list[str], versions: list[str]) -> list[Run]:
    """Every run for these storages and versions: `redirect` needs a storage with presigned URLs, and the local Lambda
    does nothing else, as a deployment does."""
    variants = {
        "folder": ["everything", "sparse"],
        "s3": ["everything", "redirect", "sparse"],
        "lambda": ["cloudfront", "http-api", "fresh"],
    }
    return [Run(s, v, variant) for s in storages for v in versions for variant in variants[s]]
