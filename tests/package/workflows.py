"""What the linters leave open about .github/workflows."""

import re

import yaml

from report import Report, equal, require
from tools import ROOT, VERSIONS

FOLDER = ROOT / ".github" / "workflows"
PINNED = re.compile(r"^[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SCRIPT = re.compile(r"(?<![\w/.-])(?:\.ci|infra|tests)/[\w/.-]*\w")


def run(report: Report) -> None:
    report.run("workflows", {
        "each states its permissions, its concurrency and its time": stated,
        "only a job may write, and only to releases and packages": least,
        "every action is pinned to a commit, with its version": pinned,
        "the scripts that they run are there": scripts,
        "Rust and Zig are of the versions that the project names": versions,
        "each says that it has not run": said,
    })


def texts() -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(FOLDER.glob("*.yml"))}


def jobs() -> dict[str, dict]:
    return {f"{file}: {name}": job for file, text in texts().items() for name, job in yaml.safe_load(text)["jobs"].items()}


def stated() -> str:
    for file, text in texts().items():
        workflow = yaml.safe_load(text)
        require("permissions" in workflow and "concurrency" in workflow, f"{file} has no permissions or no concurrency")
    for name, job in jobs().items():
        require("timeout-minutes" in job, f"{name} has no timeout-minutes")
    return ", ".join(texts())


def least() -> None:
    for file, text in texts().items():
        require(set(yaml.safe_load(text)["permissions"].values()) <= {"read"}, f"{file}: all jobs may write")
    granted = [(name, scope, level) for name, job in jobs().items() for scope, level in job.get("permissions", {}).items()]
    equal("granted", sorted((name, scope) for name, scope, level in granted if level != "read"), [
        ("aws.yml: verify", "id-token"),
        ("release.yml: image", "packages"),
        ("release.yml: release", "contents"),
        ("release.yml: release", "packages"),
    ])


def pinned() -> str:
    used = {use for text in texts().values() for use in re.findall(r"^\s*(?:- )?uses: (.+)$", text, re.MULTILINE)}
    loose = sorted(use for use in used if not PINNED.match(use))
    require(not loose, f"not pinned: {', '.join(loose)}")
    return f"{len(used)} actions"


def scripts() -> str:
    named = {script for job in jobs().values() for step in job["steps"] for script in SCRIPT.findall(step.get("run", ""))}
    absent = sorted(script for script in named if not (ROOT / script).exists())
    require(not absent, f"not there: {', '.join(absent)}")
    return ", ".join(sorted(named))


def versions() -> str:
    rust = re.search(r'^rust-version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    named = "\n".join([*texts().values(), (ROOT / "Dockerfile").read_text()])
    equal("versions of Rust", set(re.findall(r'(?:\brust:|^  RUST: ")(\d+\.\d+)', named, re.MULTILINE)), {rust})
    zig = re.search(r"ziglang==\S+", VERSIONS.read_text()).group(0)
    equal("versions of Zig", set(re.findall(r"ziglang==\S+", named)), {zig})
    return f"Rust {rust}, {zig}"


def said() -> None:
    for file, text in texts().items():
        require("has not run on GitHub yet" in text, f"{file} does not say so; when it has run, remove this check")
