"""The Dockerfile: nothing here builds an image, so that its instructions are read, and its command is run outside of one."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.process import Daemon, environment
from harness.registry import Registry
from harness.server import berth_binary, free_port
from report import Failure, Report, equal, require
from tools import ROOT


def run(report: Report) -> None:
    report.run("image", {
        "it runs as a user without privileges, who may write to /data": user,
        "the build has all that cargo reads, and nothing else": context,
    })
    if not berth_binary().is_file():
        report.missing("image", f"no {berth_binary()}: build it, or name another by BERTH_BIN")
        return
    report.run("image", {
        "its command serves the volume, on the exposed port": lambda: serves({}, data=True),
        "another storage needs nothing but its own variable": lambda: serves({"REGISTRY_STORAGE": "inmemory"}, data=False),
    })


def instructions() -> list[tuple[str, str]]:
    """Those of the last stage, by their names, in their order."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    found = [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]
    last = max(at for at, (name, _) in enumerate(found) if name == "FROM")
    return found[last:]


def only(name: str) -> str:
    values = [value for found, value in instructions() if found == name]
    require(len(values) == 1, f"{len(values)} instructions {name}")
    return values[0]


def user() -> str:
    uid, gid = only("USER").split(":")
    require(uid.isdigit() and int(uid) > 0, f"USER {uid}: Kubernetes' runAsNonRoot needs a number other than 0")
    equal("volume", json.loads(only("VOLUME")), ["/data"])
    copied = [value for name, value in instructions() if name == "COPY"]
    require(f"--from=build --chown={uid}:{gid} /out/data /data" in copied, f"/data is not the user's: {copied}")
    return f"{uid}:{gid}"


def context() -> str:
    """What .dockerignore leaves is a workspace that cargo can build the command from."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    equal("first rule", rules[0], "*")
    require(all(rule.startswith("!") for rule in rules[1:]), f"not an exception to it: {rules[1:]}")
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        for name in (rule.removeprefix("!") for rule in rules[1:]):
            to = Path(folder) / name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(ROOT / name, to) if (ROOT / name).is_dir() else shutil.copy(ROOT / name, to)
        command = ["cargo", "metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        require(said.returncode == 0, said.stderr)
        (binary,) = (t for p in json.loads(said.stdout)["packages"] for t in p["targets"] if t["name"] == "berth" and "bin" in t["kind"])
        require(Path(binary["src_path"]).is_file(), f"no {binary['src_path']}")
    return " ".join(rules[1:])


def serves(variables: dict[str, str], data: bool) -> str:
    """Runs the image's command in a folder that stands for `/`."""
    equal("folder", only("WORKDIR"), "/")
    equal("program", json.loads(only("ENTRYPOINT")), ["/usr/local/bin/berth"])
    said = dict(pair.split("=", 1) for pair in only("ENV").split())
    port = only("EXPOSE")
    equal("address", said.pop("REGISTRY_HTTP_ADDR"), f":{port}")
    # On loopback alone, at a port that is free.
    host = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="berth-") as temp:
        folder = Path(temp)
        set_here = {**said, **variables, "REGISTRY_HTTP_ADDR": host}
        daemon = Daemon("berth", [berth_binary(), *json.loads(only("CMD"))], environment(folder, **set_here), folder / "log")
        try:
            registry = Registry(host, daemon.output)
            daemon.until(registry.answers, "GET /v2/ answers 200")
            line = daemon.output().splitlines()[0]
            equal("data in ./data", (folder / "data").is_dir(), data)
        finally:
            code = daemon.stop()
    equal("exit code after SIGTERM, which is how Docker stops it", code, 0)
    return line
