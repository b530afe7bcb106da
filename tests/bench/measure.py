"""The measurements. Each returns plain numbers in the unit of its column (see table.py)."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import image
from registries import Failed, Registry
from table import Results

SPIN_SECONDS = 0.0001  # between two attempts to connect: small against a start of milliseconds
START_SECONDS = 30
PUSH_REPOSITORY = "bench/push"
LARGE_FILE = 10_000_000  # bytes; in the data folders only the pushed noise is larger


def start(registry: Registry) -> tuple[float, float]:
    """Milliseconds from exec to the first 200 of /v2/, and megabytes resident then."""
    output = os.open(registry.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    redirected = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    # posix_spawn costs a fraction of a millisecond; a fork of this interpreter would show in the result.
    began = time.perf_counter()
    process = os.posix_spawn(
        registry.arguments[0], registry.arguments, registry.environment, file_actions=redirected
    )
    os.close(output)
    try:
        while not _answered(registry.host):
            if time.perf_counter() - began > START_SECONDS or os.waitpid(process, os.WNOHANG)[0]:
                raise Failed(f"{registry.name} did not start:\n{registry.log.read_text(errors='replace')}")
            time.sleep(SPIN_SECONDS)
        milliseconds = (time.perf_counter() - began) * 1000
        return milliseconds, _resident(process)
    finally:
        _stop(process)


def wrk_all(
    compared: list[Registry],
    results: Results,
    column: str,
    url: Callable[[Registry], str],
    connections: int,
    rounds: int,
    seconds: int,
) -> None:
    """Loads each registry in turn, `rounds` times, after one uncounted second."""
    for registry in compared:
        _wrk(url(registry), connections, 1)
    for _ in range(rounds):
        for registry in compared:
            rate = _wrk(url(registry), connections, seconds)
            results.add(registry, column, rate if column == "manifest" else rate * image.BLOB_BYTES / 1e9)


def push(registry: Registry, content: IO[bytes]) -> float:
    """Seconds for one new blob by POST and PUT, until it is on the disk; the blob is deleted afterwards."""
    digest = image.refresh(content)
    os.sync()  # what was written before this push must not be paid by it
    began = time.perf_counter()
    path = image.with_digest(image.start_upload(registry.host, PUSH_REPOSITORY), digest)
    url = f"http://{registry.host}{path}"
    # An empty Expect keeps curl from asking leave first, and from waiting a second where none is given.
    put = ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "-H", "Expect:"]
    put += ["-H", "Content-Type: application/octet-stream", "-T", content.name, url]
    curl = subprocess.run(put, capture_output=True, text=True)
    for file in _large_files(registry):
        _sync(file)  # a registry that answers before its data is on the disk gains nothing by it
    seconds = time.perf_counter() - began
    if curl.stdout != "201":
        raise Failed(f"PUT {url}: {curl.stdout or curl.stderr}")
    image.request(registry.host, "DELETE", f"/v2/{PUSH_REPOSITORY}/blobs/{digest}", 202)
    for file in _large_files(registry):
        file.unlink()  # DELETE only unlinks a blob from its repository: its gigabyte would stay
    return seconds


def _wrk(url: str, connections: int, seconds: int) -> float:
    """Requests per second. Two threads, as wrk and the server share the machine's cores."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "-H", f"Accept: {image.MANIFEST_TYPE}", url]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    rate = re.search(r"^Requests/sec:\s+([\d.]+)", output, re.MULTILINE)
    if not rate or "Non-2xx" in output or "Socket errors" in output:
        raise Failed(f"wrk on {url}: requests failed:\n{output}")
    return float(rate[1])


def _answered(host: str) -> bool:
    address, port = host.split(":")
    try:
        with socket.create_connection((address, int(port)), timeout=5) as connection:
            connection.sendall(f"GET /v2/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _resident(process: int) -> float:
    with open(f"/proc/{process}/status") as status:
        kilobytes = next(line for line in status if line.startswith("VmRSS:")).split()[1]
    return int(kilobytes) * 1024 / 1e6


def _stop(process: int) -> None:
    try:
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # it ended by itself, and was waited for


def _large_files(registry: Registry) -> list[Path]:
    """The pushed noise in the registry's folder; nothing where the folder is not ours."""
    files = registry.folder.rglob("*") if registry.folder else []
    return [file for file in files if file.is_file() and file.stat().st_size > LARGE_FILE]


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
