"""An HTTP response, read to its end."""

from __future__ import annotations

import http.client
import json
import re

S3_ERROR = re.compile(rb"<Error>.*?<Code>(\w+)</Code>.*?<Message>(.*?)</Message>", re.DOTALL)
LONGEST_BODY = 8 << 20


class Answer:
    def __init__(self, response: http.client.HTTPResponse, method: str, seconds: float):
        self.status, self.seconds = response.status, seconds
        self.headers = response.headers
        self.body = b"" if method == "HEAD" else response.read(LONGEST_BODY)

    def header(self, name: str) -> str:
        return self.headers.get(name) or ""

    @property
    def from_registry(self) -> bool:
        """Whether the registry, or CloudFront's function for it, wrote this; else AWS did."""
        return self.header("docker-distribution-api-version") != ""

    def text(self, longest: int = 200) -> str:
        return " ".join(self.body.decode(errors="replace").split())[:longest]

    def says(self) -> str:
        """Status and text, for people; of an error of the registry or S3, its code and message."""
        if found := S3_ERROR.search(self.body):
            code, message = (part.decode(errors="replace") for part in found.groups())
            return f"{self.status} {code} ({message[:120]})"
        try:
            error = json.loads(self.body)["errors"][0]
            return f"{self.status} {error['code']} ({error['message'][:120]})"
        except (ValueError, KeyError, TypeError, IndexError):
            return f"{self.status} {self.text()}".strip()

    def renamed(self) -> list[str]:
        """The headers which AWS gave another name."""
        return sorted(name.lower() for name in self.headers.keys() if name.lower().startswith("x-amzn-remapped-"))
