"""What the checks of one front share: where it is, how to log in, and what a later check needs of an earlier one."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from typing import Optional

from .registry import Registry

# Milliseconds that an instance is kept busy in a local run: long for two requests to arrive, on a busy machine too.
BUSY_MS = 500


@dataclass
class Target:
    """One deployment. What is empty is not known, and the checks that need it say so."""

    front: str
    host: str
    user: str
    password: str
    local: bool = False
    admin: str = ""  # URL of the local stack's controls
    function_url: str = ""  # host of the function's own URL
    bucket: str = ""
    region: str = "us-east-1"
    s3: str = ""  # URL of another S3 than AWS's
    function_name: str = ""
    log_group: str = ""
    started_ms: int = 0  # when the first request was sent, Unix time
    aws_environment: dict = field(default_factory=dict)  # AWS credentials for `berth login`


@dataclass
class Limits:
    size: int = 5_000_000  # bytes of a layer which is too large for the function
    slow_seconds: float = 130
    sizes: tuple = ()  # of large pushes, bytes
    burst: int = 20  # simultaneous requests
    bisections: int = 8


class Session:
    def __init__(self, target: Target, limits: Limits, credentials=None, aws=None):
        """`credentials()` gives AWS access keys for S3, and `aws` is the command line; none in a local run."""
        self.target, self.limits = target, limits
        self.registry = Registry(target.host, target.user, target.password)
        self.credentials, self.aws = credentials, aws
        self.edge: Optional[object] = None  # the large push that several checks of CloudFront read

    def delay_s3(self) -> None:
        """In a local run, S3 answers its next request late: the instance that sent it is busy until then."""
        if self.target.admin:
            fault = {"fault": {"delay": BUSY_MS}, "when": {"service": "s3"}, "times": 1}
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{self.target.admin}/_faults", json.dumps(fault).encode(), timeout=30):
                pass

    @property
    def front(self) -> str:
        return self.target.front
