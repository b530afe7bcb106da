"""The registries that the suite starts: Berth, and distribution's of two ages beside it."""

import contextlib
import json
import os
import socket
from pathlib import Path

from .failure import require
from .process import Daemon, environment
from .registry import Registry

REPOSITORY_ROOT = Path(__file__).resolve().parents[3]
DOCKER_REGISTRY = "/usr/bin/docker-registry"


def berth_binary() -> Path:
    return Path(os.environ.get("BERTH_BIN") or REPOSITORY_ROOT / "target/debug/berth").resolve()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def berth(folder: Path, data: Path | None, variables: dict[str, str] | None = None):
    """On the folder `data`, or as `variables` say."""
    binary = berth_binary()
    require(os.access(binary, os.X_OK), f"no {binary}: build it, or name another by BERTH_BIN")
    host = f"127.0.0.1:{free_port()}"
    argv = [binary, "serve", "--addr", host, *(["--data", data] if data else [])]
    with _served("berth", argv, host, folder, variables or {}) as registry:
        yield registry


def docker_registry(folder: Path, data: Path):
    return _peer("docker-registry", DOCKER_REGISTRY, folder, data)


def distribution(folder: Path, data: Path, binary: Path):
    return _peer("distribution", str(binary), folder, data)


@contextlib.contextmanager
def _peer(name: str, binary: str, folder: Path, data: Path):
    host = f"127.0.0.1:{free_port()}"
    config = folder / f"{name}.yml"
    # JSON is YAML.
    config.write_text(json.dumps({
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(data)}, "delete": {"enabled": True}},
        "http": {"addr": host},
    }))
    # The newer one would send traces to a collector.
    variables = {"OTEL_TRACES_EXPORTER": "none"}
    with _served(name, [binary, "serve", config], host, folder, variables) as registry:
        yield registry


@contextlib.contextmanager
def _served(name: str, argv: list, host: str, folder: Path, variables: dict[str, str]):
    daemon = Daemon(name, argv, environment(folder, **variables), folder / f"{name}.log")
    try:
        registry = Registry(host, daemon.output)
        daemon.until(registry.answers, "GET /v2/ answers 200")
        yield registry
    finally:
        exit_code = daemon.stop()
    # Only reached when nothing else went wrong, so that this hides no other failure.
    require(name != "berth" or exit_code == 0, f"{name}: exit code {exit_code} after SIGTERM")
