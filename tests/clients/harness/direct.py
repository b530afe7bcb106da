"""Where S3 takes a blob straight from its sender (docs/direct-upload.md), and how fast that is by curl alone."""

import json
import re
import subprocess
import urllib.error
from pathlib import Path
from urllib.parse import urlencode

from .failure import equal, require
from .login import token_of
from .registry import Registry

CURL = "/usr/bin/curl"


def target(registry: Registry, repository: str, digest: str, size: int) -> dict:
    """What the registry says of where a blob is to be sent."""
    request = registry.request(f"/v2/{repository}/blobs/uploads/", "POST")
    request.add_header("Berth-Blob-Digest", digest)
    request.add_header("Berth-Blob-Size", str(size))
    try:
        answer = registry.opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        # Who may read every blob is asked for a token that says so.
        equal("status", error.code, 401)
        asked = dict(re.findall(r'(\w+)="([^"]*)"', error.headers["WWW-Authenticate"]))
        query = urlencode({"service": asked["service"], "scope": asked["scope"]})
        token = token_of(registry.opener, f"{asked['realm']}?{query}", registry.login.basic)
        request.add_unredirected_header("Authorization", f"Bearer {token}")
        answer = registry.opener.open(request, timeout=60)
    with answer:
        equal("status of the session", answer.status, 202)
        equal("what it offers", answer.headers["Berth-Direct-Upload"], "put")
        return json.load(answer)["put"]


def curl(put: dict, file: Path) -> float:
    """Seconds that curl takes for it: one streamed PUT."""
    named = [word for name, value in put["headers"].items() for word in ("-H", f"{name}: {value}")]
    argv = [CURL, "-sS", "--fail", "--noproxy", "*", "-H", "Expect:", *named, "-T", file, "-o", "/dev/null",
            "-w", "%{http_code} %{time_total}", put["url"]]
    told = subprocess.run(argv, capture_output=True, text=True)
    require(told.returncode == 0, f"curl: {told.stdout} {told.stderr}")
    code, seconds = told.stdout.split()
    equal("status of S3", code, "200")
    return float(seconds)
