"""Programs which a run uses if they are there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def clients_folder() -> Path:
    """Where tests/clients/install puts programs."""
    return Path(os.environ.get("BERTH_CLIENTS_DIR") or ROOT / ".clients") / "bin"


def find(name: str) -> str:
    """Its path, or nothing: of those which the tests installed, else in PATH."""
    own = clients_folder() / name
    return str(own) if os.access(own, os.X_OK) else shutil.which(name) or ""


def built(name: str, variable: str) -> str:
    """A program of this repository: named by `variable`, in PATH, or built here."""
    if os.environ.get(variable):
        return os.environ[variable]
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    for place in (target / "release" / name, target / "fast" / name, target / "debug" / name):
        if os.access(place, os.X_OK):
            return str(place)
    return shutil.which(name) or ""


def berth() -> str:
    return built("berth", "BERTH_BIN")


def lambda_local() -> str:
    if os.environ.get("BERTH_LAMBDA_LOCAL"):
        return os.environ["BERTH_LAMBDA_LOCAL"]
    fast = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "fast" / "lambda-local"
    return str(fast) if os.access(fast, os.X_OK) else built("lambda-local", "BERTH_LAMBDA_LOCAL")
