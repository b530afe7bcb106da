"""S3 by signed requests (Signature Version 4), which do not depend on the version of the AWS CLI."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import time
from dataclasses import dataclass
from typing import Optional
from urllib.parse import quote, urlsplit

from .http_answer import Answer
from .session import Target


@dataclass(frozen=True)
class Credentials:
    access_key: str
    secret_key: str
    session_token: str = ""


def signature(
    credentials: Credentials, region: str, date: str, method: str, path: str, headers: dict, payload: str
) -> str:
    """The value of `Authorization` for service s3; `headers` are all signed, `payload` is the body's SHA-256."""
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [method, path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, payload]
    )
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + credentials.secret_key).encode()
    for part in (date[:8], region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signed = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signed}"


class Bucket:
    """A deployment's bucket: at AWS, or at another S3 by path."""

    def __init__(self, target: Target, credentials: Credentials):
        self.region, self.credentials = target.region, credentials
        if target.s3:
            place = urlsplit(target.s3)
            self.tls, self.host, self.prefix = place.scheme == "https", place.netloc, f"/{target.bucket}"
        else:
            self.tls, self.host, self.prefix = True, f"{target.bucket}.s3.{target.region}.amazonaws.com", ""

    def ask(self, method: str, key: str, headers: Optional[dict] = None, body: bytes = b"") -> Answer:
        path = f"{self.prefix}/{quote(key)}"
        date, payload = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), hashlib.sha256(body).hexdigest()
        sent = {**(headers or {}), "host": self.host, "x-amz-date": date, "x-amz-content-sha256": payload}
        if self.credentials.session_token:
            sent["x-amz-security-token"] = self.credentials.session_token
        sent["authorization"] = signature(self.credentials, self.region, date, method, path, sent, payload)
        connection = (http.client.HTTPSConnection if self.tls else http.client.HTTPConnection)(self.host, timeout=60)
        began = time.monotonic()
        connection.request(method, path, body=body or None, headers=sent)
        answer = Answer(connection.getresponse(), method, time.monotonic() - began)
        connection.close()
        return answer
