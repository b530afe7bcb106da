"""What the checks of one front share: where it is, how to log in, and what a later check needs of an earlier one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from .registry import Registry


@dataclass
class Target:
    """One deployment. What is empty is not known, and the checks that need it say so."""

    front: str
    host: str
    user: str
    password: str
    local: bool = False
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

    @property
    def front(self) -> str:
        return self.target.front
