"""The programs and packages that the checks need: a Python environment that tests/clients/install makes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = "template"
VERSIONS = ROOT / "tests" / "clients" / "versions"
CLIENTS = Path(os.environ.get("BERTH_CLIENTS_DIR") or ROOT / ".clients").resolve()
VENV = CLIENTS / f"venv-{ROW}"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
# What the run leaves: the build, logs, and deployment.json.
RESULTS = TARGET / "template"


def missing() -> str | None:
    """Why the checks cannot run, or None."""
    stamp = CLIENTS / "stamps" / ROW
    if not stamp.is_file() or stamp.read_text().strip() != _packages():
        return "run tests/clients/install template"
    return None


def enter() -> None:
    """Goes on in the environment's own Python, whose packages the checks import."""
    # Not the resolved path: a venv's python is a link to the one that made it.
    python = VENV / "bin" / "python"
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(python, [str(python), *sys.argv])


def environment() -> dict[str, str]:
    """For the tools: nothing of the developer's own account, and nothing sent home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SAM_", "REGISTRY_", "VIRTUAL_ENV"))}
    return kept | {
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def call(*command: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess:
    """Runs a tool to its end. What it said is in `stdout`, errors among it."""
    return subprocess.run(
        command, cwd=cwd, env=environment() | variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _packages() -> str:
    for line in VERSIONS.read_text().splitlines():
        name, _, rest = line.partition(" ")
        if name == ROW:
            return rest.split(maxsplit=1)[1].strip()
    raise LookupError(f"no row {ROW} in {VERSIONS}")
