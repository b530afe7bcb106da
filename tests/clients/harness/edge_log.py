"""What the local CloudFront saw, and what the function behind it asked of AWS."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from .local_stack import LocalStack

# In an event of 6,291,556 bytes ("Lambda quotas", AWS Lambda Developer Guide) a body is three quarters, as base64.
LARGEST_BODY = 6_291_556 * 3 // 4
CLOUDFRONT = "cloudfront.amazonaws.com"  # as S3 knows it


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    origin: str | None  # where it was sent, unless it was answered at the edge
    status: int | None
    body: int
    handled: str
    sent: str | None  # path and query of the request to the origin

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.origin or self.handled} {self.status or 'unanswered'} ({self.body} bytes)"


class EdgeLog:
    def __init__(self, stack: LocalStack):
        self.stack = stack

    def begin(self) -> None:
        """Forgets what was seen."""
        self.stack.ask("/_edge", "DELETE")
        self.stack.ask("/_requests", "DELETE")

    def requests(self) -> list[Seen]:
        return [
            Seen(r["method"], urlsplit(r["uri"]).path, r["origin"], r["status"], r["request_bytes"], r["handled"], r["sent"])
            for r in self.stack.ask("/_edge")
        ]

    def to_function(self) -> list[Seen]:
        return [request for request in self.requests() if request.origin == "registry"]

    def to_bucket(self) -> list[Seen]:
        return [request for request in self.requests() if request.origin == "bucket"]

    def asked(self) -> list[dict]:
        """Requests to S3 and DynamoDB by the function: not those that it signed for others, nor CloudFront's own."""
        return [
            r for r in self.stack.ask("/_requests")
            if r["service"] in ("s3", "dynamodb") and not r["presigned"] and r["identity"] != CLOUDFRONT
        ]
