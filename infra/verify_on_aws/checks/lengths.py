"""The Content-Length of responses to HEAD, which Docker's classic store, crane and helm need."""

from __future__ import annotations

import json

from ..findings import Observation
from ..layer import Layer
from ..registry import CheckFailed
from ..session import Session
from . import check

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def manifest(session: Session, tag: str) -> bytes:
    """Stores one whose only blob is small."""
    registry, layer = session.registry, Layer(1000)
    answer = registry.ask(
        "POST",
        f"/v2/{registry.repository}/blobs/uploads/?digest={layer.digest}",
        {"Content-Length": str(layer.size), "Content-Type": "application/octet-stream"},
        b"".join(layer.blocks()),
    )
    if answer.status != 201:
        raise CheckFailed(f"a blob of {layer.size} bytes was not stored: {answer.says()}")
    body = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": layer.digest, "size": layer.size},
            "layers": [],
        }
    ).encode()
    stored = registry.ask("PUT", f"/v2/{registry.repository}/manifests/{tag}", {"Content-Type": OCI_MANIFEST}, body)
    if stored.status != 201:
        raise CheckFailed(f"the manifest was not stored: {stored.says()}")
    return body


@check("head", assumption="head-length")
def head(session: Session) -> Observation:
    """Through CloudFront, the viewer-response function restores a length, but not for a status of 400 or above: the
    response to HEAD of a missing manifest shows what the function URL sent."""
    body = manifest(session, "head")
    answer = session.registry.ask("HEAD", f"/v2/{session.registry.repository}/manifests/head")
    missing = session.registry.ask("HEAD", f"/v2/{session.registry.repository}/manifests/missing")
    length, renamed = answer.header("content-length"), answer.header("x-amzn-remapped-content-length")
    detail = f"{answer.status}, Content-Length {length or 'absent'}" + (
        f", the function's own renamed ({renamed})" if renamed else ""
    )
    detail += f"; the manifest has {len(body)} bytes"
    if not missing.header("content-length"):
        restored = length == str(len(body))
        told = "Right all the same: CloudFront's function restores it." if restored else ""
        return Observation("none", f"{detail}; a missing one has no Content-Length ({missing.status})", told)
    if length != str(len(body)):
        return Observation(
            "wrong", detail, "Docker's classic store cannot pull; do not return a body for HEAD.", ok=False
        )
    return Observation("computed" if renamed else "kept", detail)
