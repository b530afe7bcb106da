"""What S3 itself answers to the requests of a commit."""

from __future__ import annotations

from ..findings import Observation
from ..s3 import Bucket
from ..session import Session
from . import check, hidden

KEY = "verify/copies"


@check("conditional-copy", assumption="conditional-copy")
def conditional_copy(session: Session) -> Observation:
    if not session.credentials or not session.target.bucket:
        return hidden("no AWS credentials for the bucket")
    bucket = Bucket(session.target, session.credentials())
    stored = bucket.ask("PUT", KEY, body=b"content")
    if stored.status != 200:
        return Observation("error", f"PutObject: {stored.says()}", ok=False)
    headers = {"x-amz-copy-source": f"/{session.target.bucket}/{KEY}", "if-none-match": "*"}
    first = bucket.ask("PUT", f"{KEY}-copy", headers)
    again = bucket.ask("PUT", f"{KEY}-copy", headers)
    for key in (KEY, f"{KEY}-copy"):
        bucket.ask("DELETE", key)
    detail = f"CopyObject: {first.status}, again: {again.says()}"
    if first.status == 501:
        return Observation("not-implemented", detail)
    supported = first.status == 200 and again.status == 412
    return Observation("supported" if supported else "error", detail, ok=supported)
