"""Where tests/clients/install puts each program, and of which version it is."""

import os
import re
import subprocess
from pathlib import Path

from .server import REPOSITORY_ROOT

VERSIONS = Path(__file__).resolve().parents[1] / "versions"


def clients_dir() -> Path:
    return Path(os.environ.get("BERTH_CLIENTS_DIR") or REPOSITORY_ROOT / ".clients").resolve()


def _rows() -> dict[str, tuple[str, str]]:
    rows = {}
    for line in VERSIONS.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, source, what = line.split(maxsplit=2)
            rows[name] = (source, what.strip())
    return rows


ROWS = _rows()


def built(program: str) -> Path:
    return clients_dir() / "bin" / program


def version(name: str) -> str | None:
    """The installed version, or None if it is not installed, or not as `versions` names it."""
    source, what = ROWS[name]
    return _debian_version(what) if source == "apt" else _built_version(name, what)


def _built_version(name: str, commands: str) -> str | None:
    stamp = clients_dir() / "stamps" / name
    if not stamp.is_file() or stamp.read_text().strip() != commands:
        return None
    return commands.rpartition("@v")[2]


def _debian_version(package: str) -> str | None:
    query = subprocess.run(
        ["/usr/bin/dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package],
        capture_output=True, text=True,
    )
    if not query.stdout.startswith("installed "):
        return None
    return re.split(r"[+~-]", query.stdout.removeprefix("installed "))[0]
