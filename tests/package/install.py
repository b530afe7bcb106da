"""`make install`, the archives of the commands, and the release notes."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from harness.server import berth_binary
from report import Failure, Report, equal, require
from tools import ROOT

FILES = [
    "bin/berth", "bin/docker-credential-berth", "share/man/man1/berth.1", "share/man/man1/berth-push.1",
    "share/bash-completion/completions/berth", "share/zsh/site-functions/_berth",
    "share/fish/vendor_completions.d/berth.fish", "share/doc/berth/LICENSE",
]


def run(report: Report) -> None:
    report.run("install", {"it builds a release, unless it is given what is built": dry})
    report.run("notes", {
        "they are the tag's section of CHANGELOG.md, else its commits": notes,
        "a tag of another version is refused": wrong_tag,
    })
    folder = berth_binary().parent
    if not (folder / "docker-credential-berth").is_file():
        report.missing("install", f"no {folder}/docker-credential-berth: build it, or name another berth by BERTH_BIN")
        return
    with tempfile.TemporaryDirectory(prefix="berth ") as temp:  # a space, as folders of people have it
        report.run("install", {
            "make install puts both commands, manual and completions in place": lambda: installed(folder, Path(temp) / "a"),
            "the archive unpacks to the same, and is the same each time": lambda: archive(folder, Path(temp)),
        })


def call(*command, cwd: Path = ROOT, **variables: str) -> str:
    said = subprocess.run(list(map(str, command)), cwd=cwd, env=os.environ | variables, capture_output=True, text=True)
    if said.returncode != 0:
        raise Failure(f"{command[0]}: exit code {said.returncode}\n{said.stdout}{said.stderr}")
    return said.stdout


def dry() -> None:
    build = "cargo build --locked --release --bin berth --bin docker-credential-berth"
    # Its own make: variables of the one that runs this (MAKEFLAGS) would come along.
    clean = {"MAKEFLAGS": "", "MAKELEVEL": "", "MAKEOVERRIDES": ""}
    require(build in call("make", "-n", "install", **clean), "make install builds nothing")
    require("cargo" not in call("make", "-n", "install", "BIN=there", **clean), "make install BIN=.. builds")
    require('"/opt/berth/bin"' in call("make", "-n", "install", "PREFIX=/opt/berth", **clean), "PREFIX is not heeded")


def installed(folder: Path, to: Path) -> str:
    call("make", "-s", "install", f"BIN={folder}", f"DESTDIR={to}", "PREFIX=/usr/local", MAKEFLAGS="", MAKEOVERRIDES="")
    return works(to / "usr" / "local")


def works(prefix: Path) -> str:
    for name in FILES:
        require((prefix / name).is_file() and (prefix / name).stat().st_size > 0, f"no {name}")
    said = call(prefix / "bin" / "berth", "--version").strip()
    helper = call(prefix / "bin" / "docker-credential-berth", "version").strip()
    equal("versions", helper.split()[-1], said.split()[-1])
    require(".TH berth 1" in (prefix / "share/man/man1/berth.1").read_text(), "berth.1 is no manual page")
    call("bash", "-n", prefix / "share/bash-completion/completions/berth")
    return said


def archive(folder: Path, temp: Path) -> str:
    files = [temp / "first.tar.gz", temp / "second.tar.gz"]
    for file in files:
        call(ROOT / "infra" / "package" / "tarball", folder, file, MAKEFLAGS="", MAKEOVERRIDES="")
    equal("two archives", *(hashlib.sha256(file.read_bytes()).hexdigest() for file in files))
    with tarfile.open(files[0]) as tar:
        entries = tar.getmembers()
        require(all(entry.isfile() for entry in entries), "folders are among its entries: unpacking changes their modes")
        equal("owners", {(entry.uid, entry.gid) for entry in entries}, {(0, 0)})
        tar.extractall(temp / "b")
    return f"{len(entries)} files; {works(temp / 'b')}"


class Repository:
    """A repository with the notes' script, and with tags."""

    def __init__(self, folder: str):
        self.folder = Path(folder)
        script = self.folder / "infra" / "package" / "notes"
        script.parent.mkdir(parents=True)
        shutil.copy(ROOT / "infra" / "package" / "notes", script)
        self.script = script
        self.git("init", "-q")

    def git(self, *command: str) -> str:
        name = {f"GIT_{who}_{what}": "somebody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return call("git", "-c", "commit.gpgsign=false", *command, cwd=self.folder, GIT_CONFIG_GLOBAL="/dev/null", **name)

    def release(self, version: str, *subjects: str) -> None:
        (self.folder / "Cargo.toml").write_text(f'[package]\nversion = "{version}"\n\n[dependencies.other]\nversion = "7"\n')
        for subject in subjects:
            self.git("add", "-A")
            self.git("commit", "-q", "--allow-empty", "-m", subject)
        self.git("tag", f"v{version}")

    def notes(self, tag: str) -> str:
        return call(self.script, tag, cwd=self.folder)


def notes() -> None:
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        repository = Repository(folder)
        repository.release("1.0.0", "Begin")
        require("The first release" in repository.notes("v1.0.0"), "the first release has no notes")
        repository.release("1.1.0", "Add one thing", "Mend another")
        written = repository.notes("v1.1.0")
        require("- Add one thing" in written and "- Mend another" in written, written)
        require("Begin" not in written, "commits of an earlier release are among them")
        changes = "# Changelog\n\n## [1.1.0] - 2030-01-01\n\n- Said by hand.\n\n## [1.0.0]\n\n- Of old.\n"
        (repository.folder / "CHANGELOG.md").write_text(changes)
        written = repository.notes("v1.1.0")
        require("Said by hand." in written and "Of old." not in written and "Add one thing" not in written, written)


def wrong_tag() -> None:
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        repository = Repository(folder)
        repository.release("1.0.0", "Begin")
        repository.git("tag", "v1.0.1")
        try:
            repository.notes("v1.0.1")
        except Failure as failure:
            require("Cargo.toml has version 1.0.0" in str(failure), str(failure))
        else:
            raise Failure("it was taken")
