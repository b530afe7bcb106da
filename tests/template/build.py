"""`sam build`: the binary that would be uploaded."""

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import tools
from report import Failure, Report, equal, require

# The processors: Lambda's name, Rust's, and ELF's number of each ("ELF Header", e_machine).
MACHINES = {"arm64": ("aarch64-unknown-linux-gnu", 183), "x86_64": ("x86_64-unknown-linux-gnu", 62)}
# Amazon Linux 2023 has this version of the C library ("What's new in AL2023").
GLIBC = (2, 34)
BUILD = tools.RESULTS / "build"

# In the order of the template.
FUNCTIONS = ("RegistryFunction", "MaintenanceFunction", "EdgeSecretsFunction")


def run(report: Report) -> None:
    name = "sam build"
    if shutil.which("cargo") is None:
        report.missing(name, "there is no cargo")
        return
    architecture = choose()
    with report.check("build", f"{name} for {architecture}") as detail:
        log = build(architecture)
        detail.append(f"log: {log}")
        report.run("build", {
            "one compilation serves all functions": lambda: compiled_once(log),
            "each function has the bootstrap, and nothing else": artifacts,
            "the bootstrap is for the processor, and stripped": lambda: machine(architecture),
            "the bootstrap needs no newer C library than Lambda has": glibc,
        })


def choose() -> str:
    """The default's processor, where its standard library is installed; else x86_64."""
    default, *_ = MACHINES
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, cwd=tools.ROOT).stdout.strip()
    there = (Path(sysroot) / "lib" / "rustlib" / MACHINES[default][0] / "lib").is_dir()
    return default if there else "x86_64"


def build(architecture: str) -> Path:
    lock = tools.ROOT / "Cargo.lock"
    before = lock.read_bytes()
    said = tools.call(
        "sam", "build", "--build-dir", str(BUILD), "--parameter-overrides", f"Architecture={architecture}",
    )
    log = tools.RESULTS / "sam-build.log"
    log.write_text(said.stdout)
    if said.returncode != 0:
        raise Failure(said.stdout)
    require(lock.read_bytes() == before, "Cargo.lock has changed: Cargo.toml does not tell cargo-lambda to keep to it")
    return log


def compiled_once(log: Path) -> None:
    builds = re.findall(r"^Building codeuri: .* functions: (.*)$", log.read_text(), re.MULTILINE)
    equal("builds", builds, [", ".join(FUNCTIONS)])


def artifacts() -> str:
    for function in FUNCTIONS:
        equal(f"files of {function}", sorted(path.name for path in (BUILD / function).iterdir()), ["bootstrap"])
    first, *others = ((BUILD / function / "bootstrap").read_bytes() for function in FUNCTIONS)
    require(all(other == first for other in others), "the functions have different binaries")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bootstrap", first)
    return f"{len(first) / 1e6:.1f} MB, zipped {len(archive.getvalue()) / 1e6:.1f} MB"


def machine(architecture: str) -> None:
    binary = bootstrap()
    require(binary[:4] == b"\x7fELF", "the bootstrap is no ELF binary")
    equal("processor", int.from_bytes(binary[18:20], "little"), MACHINES[architecture][1])
    require(b"\0.symtab\0" not in binary, "the bootstrap has symbols")


def glibc() -> str:
    versions = {tuple(map(int, v.split(b"."))) for v in re.findall(rb"\0GLIBC_(2(?:\.[0-9]+)+)(?=\0)", bootstrap())}
    require(bool(versions), "the bootstrap names no version of the C library")
    newest = max(versions)
    require(newest <= GLIBC, f"the bootstrap needs glibc {'.'.join(map(str, newest))}")
    return f"glibc {'.'.join(map(str, newest))}"


def bootstrap() -> bytes:
    return (BUILD / "RegistryFunction" / "bootstrap").read_bytes()
