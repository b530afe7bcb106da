"""The function's zips, as `make package` makes them; and the function starts from one."""

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import function_zip
import tools
from harness.local_stack import binary as lambda_local, local_stack
from report import Failure, Report, equal, require

FOLDER = tools.TARGET / "package"
# What `make template` has built by `sam build`.
BUILT = tools.RESULTS / "build" / "RegistryFunction" / "bootstrap"
# "Lambda quotas" allow 50 MB; each cold start downloads it.
LARGEST = 5_000_000


def run(report: Report) -> None:
    said: list[str] = []
    with report.check("function", "make package makes what this machine can, and names what it cannot") as detail:
        said.append(package())
        detail.append(named(said[0]))
    if not said:
        return
    report.run("function", {
        "a zip has an executable bootstrap at its root, and nothing else": zips,
        f"a zip has less than {LARGEST // 1_000_000} MB": sizes,
        "the same binary gives the same zip": again,
        "SHA256SUMS has all files": sums,
        "a binary for another processor is refused": wrong_processor,
    })
    if not lambda_local().is_file():
        report.missing("function", f"no {lambda_local()}: build it, or name another by BERTH_LAMBDA_LOCAL")
        return
    report.run("function", {"the bootstrap of the zip starts, and asks who is there": starts})


def build(*options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, tools.ROOT / "infra" / "package" / "build", *options]
    return subprocess.run(list(map(str, command)), cwd=tools.ROOT, capture_output=True, text=True)


def package() -> str:
    """For x86_64 what `sam build` has left is taken, if it is of this source."""
    options = []
    machine = int.from_bytes(BUILT.read_bytes()[18:20], "little") if BUILT.is_file() else None
    for architecture, number in function_zip.MACHINES.items():
        if number == machine and fresh():
            options += ["--bootstrap", f"{architecture}={BUILT}"]
    said = build(*options)
    require(said.returncode == 0, said.stdout + said.stderr)
    return said.stdout


def fresh() -> bool:
    source = [tools.ROOT / "Cargo.toml", tools.ROOT / "Cargo.lock", *(tools.ROOT / "src").rglob("*.rs")]
    return all(file.stat().st_mtime <= BUILT.stat().st_mtime for file in source)


def made() -> list[Path]:
    return sorted(FOLDER.glob("berth-lambda-*.zip"))


def named(said: str) -> str:
    for architecture in function_zip.TARGETS:
        file = function_zip.name(architecture)
        skipped = re.search(rf"^skipped {re.escape(file)}: .*(?:rustup|rustc)", said, re.MULTILINE)
        require((FOLDER / file).is_file() != bool(skipped), f"{file} is neither made nor skipped for a reason:\n{said}")
    require(bool(made()), "none was made")
    return ", ".join(file.name for file in made())


def zips() -> None:
    for file in made():
        with zipfile.ZipFile(file) as archive:
            equal(f"entries of {file.name}", archive.namelist(), ["bootstrap"])
            [entry] = archive.infolist()
            equal("mode", oct(entry.external_attr >> 16), oct(0o100755))
            equal("system, whose modes count", entry.create_system, 3)
            equal("bytes that are damaged", archive.testzip(), None)


def sizes() -> str:
    found = {file.name: file.stat().st_size for file in made()}
    require(max(found.values()) < LARGEST, str(found))
    return ", ".join(f"{size / 1e6:.2f} MB" for size in found.values())


def extracted(folder: Path) -> Path:
    """The bootstrap of the zip for this machine, as Lambda unpacks it: with the mode of the archive."""
    file = FOLDER / function_zip.name({"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine))
    require(file.is_file(), f"no {file.name}")
    with zipfile.ZipFile(file) as archive:
        [entry] = archive.infolist()
        path = Path(archive.extract(entry, folder))
        path.chmod(entry.external_attr >> 16 & 0o777)
    return path


def again() -> None:
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        binary = extracted(Path(folder))
        os.utime(binary, (1, 1))
        for architecture in function_zip.MACHINES:
            file = FOLDER / function_zip.name(architecture)
            if file.is_file() and architecture in (os.uname().machine, {"aarch64": "arm64"}.get(os.uname().machine)):
                function_zip.write(binary, architecture, Path(folder) / file.name)
                require((Path(folder) / file.name).read_bytes() == file.read_bytes(), f"{file.name} differs")


def sums() -> str:
    said = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=FOLDER, capture_output=True, text=True)
    require(said.returncode == 0, said.stdout + said.stderr)
    checked = sorted(line.partition(": ")[0] for line in said.stdout.splitlines())
    equal("files", checked, sorted(file.name for file in FOLDER.iterdir() if file.name != "SHA256SUMS"))
    return ", ".join(checked)


def wrong_processor() -> None:
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        binary = extracted(Path(folder))
        for architecture, number in function_zip.MACHINES.items():
            if number != int.from_bytes(binary.read_bytes()[18:20], "little"):
                said = build("--architectures", architecture, "--bootstrap", f"{architecture}={binary}", "--to", folder)
                if said.returncode == 0:
                    raise Failure(f"it was taken for {architecture}")
                require(f"is not a Linux binary for {architecture}" in said.stderr, said.stderr)


def starts() -> str:
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        binary = extracted(Path(folder))
        with local_stack(Path(folder), "--bootstrap", str(binary)) as stack:
            registry = stack.registry()
            equal("status of /v2/ with a login", registry.status("/v2/"), 200)
            registry.login = None
            equal("status of /v2/ without one", registry.status("/v2/"), 401)
            return stack.nothing_amiss()
