"""The deployment on this machine: the local Lambda, started with what deployment.json says that each function was given."""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import tools
from report import Report, equal, require

sys.path.append(str(tools.ROOT / "tests" / "clients"))
from harness.local_stack import LocalStack, binary, local_stack

FILE = tools.RESULTS / "deployment.json"
PASSWORD = "a password for tests"  # whose hash is in parameters.py
REPOSITORY = "team/image"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def run(report: Report) -> None:
    if not binary().is_file():
        report.missing("local", f"no {binary()}: build it, or name another by BERTH_LAMBDA_LOCAL")
        return
    if not FILE.is_file():
        report.missing("local", f"no {FILE}: the part `deploy` writes it")
        return
    with report.around("local"), tempfile.TemporaryDirectory(prefix="berth-") as folder:
        with local_stack(Path(folder), "--deployment", str(FILE), "--front", "http-api") as stack:
            report.run("local", {
                "the functions are told of the deployment's region, and of its users": lambda: told(stack),
                "an image is pushed and pulled, and a stranger is refused": lambda: push_and_pull(stack),
                "the maintenance finds an upload that nobody finished": lambda: maintenance(stack),
                "nothing was denied by a role, and nothing failed": stack.nothing_amiss,
            })


def told(stack: LocalStack) -> str:
    deployment = json.loads(FILE.read_text())
    equal("region", stack.ask("/_env")["AWS_REGION"], deployment["region"])
    users = deployment["functions"]["RegistryFunction"]["environment"]["REGISTRY_AUTH_HTPASSWD_USERS"]
    equal("the first user", stack.user, users.partition(":")[0])
    equal("identities that are held to a policy", [held["identity"] for held in stack.ask("/_statements")],
          ["RegistryFunction", "MaintenanceFunction"])
    return deployment["region"]


def send(stack: LocalStack, method: str, path: str, body: bytes = b"", media_type: str = "application/octet-stream"):
    """Headers of the answer, which is no error."""
    registry = stack.registry(PASSWORD)
    request = registry.request(path, method)
    request.data = body
    request.add_header("Content-Type", media_type)
    with registry.opener.open(request, timeout=60) as answer:
        return answer.headers


def begin(stack: LocalStack) -> str:
    """The place of a new upload, below the host."""
    place = urlsplit(send(stack, "POST", f"/v2/{REPOSITORY}/blobs/uploads/")["Location"])
    return f"{place.path}?{place.query}"


def push_and_pull(stack: LocalStack) -> str:
    config, layer = b"{}", bytes(range(256)) * 4096
    digests = [f"sha256:{hashlib.sha256(blob).hexdigest()}" for blob in (config, layer)]
    for digest, blob in zip(digests, (config, layer)):
        send(stack, "PUT", f"{begin(stack)}&digest={digest}", blob)
    descriptors = [{"mediaType": "application/octet-stream", "digest": digest, "size": len(blob)}
                   for digest, blob in zip(digests, (config, layer))]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptors[0], "layers": descriptors[1:]}
    body = json.dumps(manifest).encode()
    send(stack, "PUT", f"/v2/{REPOSITORY}/manifests/1", body, MANIFEST)

    registry = stack.registry(PASSWORD)
    pulled = registry.manifest(REPOSITORY, "1")
    equal("manifest", pulled.body, body)
    for digest, blob in zip(digests, (config, layer)):
        require(registry.blob(REPOSITORY, digest) == blob, f"{digest} came back as another")
    registry.login = None
    equal("status for a stranger", registry.status(f"/v2/{REPOSITORY}/manifests/1"), 401)
    return pulled.digest[:19]


def maintenance(stack: LocalStack) -> str:
    send(stack, "PATCH", begin(stack), b"half of a layer")  # before its first byte, an upload leaves nothing in the bucket
    answer = stack.ask("/_maintenance", "POST")
    equal("uploads", answer["uploads"], {"found": 1, "removed": 0, "undated": 0})
    return "and leaves one so young alone"
