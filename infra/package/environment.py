"""The tools: a Python environment with cargo-lambda, Zig and SAM's translator (`tests/clients/install template`)."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
VENV = Path(os.environ.get("BERTH_CLIENTS_DIR") or ROOT / ".clients").resolve() / "venv-template"
# cargo-lambda is found on PATH by cargo, as its subcommand.
PATH = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"


def enter() -> None:
    """Continues in the environment's own Python, whose packages the modules here import."""
    python = VENV / "bin" / "python"
    if not python.is_file():
        sys.exit(f"no {python}; run: tests/clients/install template")
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(python, [str(python), *sys.argv])
