"""What the code asks of S3 and DynamoDB, and what IAM calls it ("Actions, resources, and condition keys" of each)."""

import re

from report import Failure
from tools import ROOT

# Per service: where its client is used, and the IAM action of each of the client's methods.
CALLERS = {"s3": "src/driver/s3", "dynamodb": "src/cache/dynamodb"}
ACTIONS = {
    "s3": {
        "get_object": "s3:GetObject",
        "head_object": "s3:GetObject",
        "put_object": "s3:PutObject",
        "copy_object": "s3:PutObject",  # and s3:GetObject, of the source
        "delete_object": "s3:DeleteObject",
        "delete_objects": "s3:DeleteObject",
        "list_objects_v2": "s3:ListBucket",
        "create_multipart_upload": "s3:PutObject",
        "upload_part": "s3:PutObject",
        "upload_part_copy": "s3:PutObject",  # and s3:GetObject, of the source
        "complete_multipart_upload": "s3:PutObject",
        "list_parts": "s3:ListMultipartUploadParts",
        "abort_multipart_upload": "s3:AbortMultipartUpload",
    },
    "dynamodb": {
        "get_item": "dynamodb:GetItem",
        "batch_get_item": "dynamodb:BatchGetItem",
        "put_item": "dynamodb:PutItem",
        # What the transaction holds is allowed or denied, item by item; the code's hold puts.
        "transact_write_items": "dynamodb:PutItem",
    },
}


def asked(service: str) -> set[str]:
    """The IAM actions of every request that the code can make of `service`."""
    folder = ROOT / CALLERS[service]
    sources = "\n".join(path.read_text() for path in sorted(folder.rglob("*.rs")))
    methods = set(re.findall(r"client\s*\.\s*([a-z0-9_]+)\(\)", sources))
    unknown = methods - ACTIONS[service].keys()
    if not methods or unknown:
        raise Failure(f"{CALLERS[service]} calls {sorted(unknown) or 'nothing'}; tests/template/actions.py must know the action")
    return {ACTIONS[service][method] for method in methods}
