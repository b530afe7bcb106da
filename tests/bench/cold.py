"""Measures how the function starts. Each measurement adds plain numbers to a series, in the series' unit."""

import http.client
import zipfile
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlsplit

import image
from deployment import Deployment, authorization, bearer, token_path
from registries import Failed

Series = dict[str, list[float]]  # key (see cold_budgets.py) -> numbers


def measure(deployment: Deployment, rounds: int) -> Series:
    """Every round has each kind of start once: what else the machine does hits all alike."""
    series: Series = defaultdict(list)
    token = bearer(deployment.host, image.REPOSITORY)
    manifest, blobs = push(deployment, token)
    questions = [
        ("v2", "/v2/", 401, None),
        ("v2 token", "/v2/", 200, token),
        ("token cost 5", token_path(image.REPOSITORY), 200, authorization(5)),
        ("token cost 10", token_path(image.REPOSITORY), 200, authorization(10)),
        ("manifest", manifest, 200, token),
    ]
    # The first process of all finds neither the program nor its libraries in the page cache.
    for _, *question in questions:
        start(deployment, *question)
    for _ in range(rounds):
        for key, *question in questions:
            poll, answer = start(deployment, *question)
            series["poll"].append(poll)
            series[key].append(answer)
        series["resident"].append(resident_after_pull(deployment, manifest, blobs, token))
    return series


def start(deployment: Deployment, path: str, expected: int, credentials: str | None) -> tuple[float, float]:
    """Milliseconds from exec to the first poll and to the first answer, of a process that is started for this request."""
    deployment.recycle()
    before = len(deployment.ask("/_starts"))
    image.request(deployment.host, "GET", path, expected, authorization=credentials)
    starts = deployment.ask("/_starts")[before:]
    if len(starts) != 1:
        raise Failed(f"GET {path} started {len(starts)} processes instead of one")
    return starts[0]["first_poll_ms"], starts[0]["first_answer_ms"]


def resident_after_pull(deployment: Deployment, manifest: str, blobs: list[str], token: str) -> float:
    """Megabytes resident in a process that served a pull from the first request on, and nothing else."""
    deployment.recycle()
    image.request(deployment.host, "GET", "/v2/", 401)
    image.request(deployment.host, "GET", manifest, 200, authorization=token)
    for blob in blobs:
        _, headers = image.request(deployment.host, "GET", blob, 307, authorization=token)
        fetch(headers["Location"])
    deployment.settle()
    instances = deployment.ask("/_instances")
    if [instance["invocations"] for instance in instances] != [2 + len(blobs)]:
        raise Failed(f"the pull was not served by one process alone: {instances}")
    return instances[0]["resident"] / 1e6


def push(deployment: Deployment, token: str) -> tuple[str, list[str]]:
    """Pushes the bench's image, and returns the paths of its manifest, by tag, and of its blobs."""
    blobs, manifest = image.contents()
    for blob in blobs:
        location = image.with_digest(
            image.start_upload(deployment.host, image.REPOSITORY, token), image.digest(blob)
        )
        body_type = "application/octet-stream"
        image.request(deployment.host, "PUT", location, 201, blob, body_type, token)
    path = f"/v2/{image.REPOSITORY}/manifests/{image.TAG}"
    image.request(deployment.host, "PUT", path, 201, manifest, image.MANIFEST_TYPE, token)
    return path, [f"/v2/{image.REPOSITORY}/blobs/{image.digest(blob)}" for blob in blobs]


def fetch(url: str) -> None:
    """Reads a presigned URL, as a client that is redirected does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request("GET", image.path_of(url))
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise Failed(f"GET {url}: {answer.status} instead of 200")


def package(bootstrap: Path) -> tuple[float, float]:
    """Megabytes of the program, and of the archive that Lambda is given: deflate, level 9."""
    with TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.write(bootstrap, "bootstrap")
        return bootstrap.stat().st_size / 1e6, file.tell() / 1e6
