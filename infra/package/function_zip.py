"""`berth-lambda-ARCHITECTURE.zip`: the function's code as Lambda takes it, for each processor."""

import os
import subprocess
import zipfile
from pathlib import Path

from environment import PATH, ROOT, TARGET

# Lambda's name of each processor, and Rust's.
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
FLAGS = {"arm64": "--arm64", "x86_64": "--x86-64"}
# ELF's number of each ("ELF Header", e_machine).
MACHINES = {"arm64": 183, "x86_64": 62}
# The earliest time that the format can hold.
EARLIEST = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o100755


class BuildFailed(Exception):
    """There is no binary, or it is for another processor."""


def name(architecture: str) -> str:
    """The file's name. The template composes the same name from its parameter Architecture."""
    return f"berth-lambda-{architecture}.zip"


def obstacle(architecture: str) -> str | None:
    """Why this machine cannot compile for the processor, with the remedy; or None."""
    try:
        found = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True, cwd=ROOT)
    except (OSError, subprocess.CalledProcessError):
        return "there is no rustc; install Rust (rustup)"
    if not (Path(found.stdout.strip()) / "lib" / "rustlib" / TARGETS[architecture] / "lib").is_dir():
        return f"Rust's standard library for it is not installed; run: rustup target add {TARGETS[architecture]}"
    return None


def compile(architecture: str) -> Path:
    """The path of the release binary. This is the command that `sam build` runs, but for its explicit target.

    Raises BuildFailed."""
    command = ["cargo", "lambda", "build", "--release", FLAGS[architecture], "--bin", "bootstrap"]
    if subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": PATH}).returncode != 0:
        raise BuildFailed(f"{architecture}: {' '.join(command)} failed")
    return TARGET / "lambda" / "bootstrap" / "bootstrap"


def write(binary: Path, architecture: str, to: Path) -> None:
    """Writes the archive, which is the same bytes for the same binary whenever it is made.

    Raises BuildFailed when the binary is not for that processor: a function with it would not start."""
    content = binary.read_bytes()
    if content[:4] != b"\x7fELF" or int.from_bytes(content[18:20], "little") != MACHINES[architecture]:
        raise BuildFailed(f"{binary} is not a Linux binary for {architecture}")
    entry = zipfile.ZipInfo("bootstrap", EARLIEST)
    entry.create_system = 3  # Unix, so that the mode counts
    entry.external_attr = EXECUTABLE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(to, "w") as archive:
        archive.writestr(entry, content, compresslevel=9)
