"""`berth gateway`, as whoever is logged in to a registry runs it."""

import re
import subprocess
from pathlib import Path

from .failure import equal, require
from .process import Daemon, environment
from .server import berth_binary

SERVES = re.compile(r"^Berth serves \S+ at localhost:(\d+)$", re.MULTILINE)
PASSED_ON = re.compile(r"blob passed on.*?digest=(\S+) size=(\d+) seconds=([\d.e-]+)")
COLORS = re.compile(r"\x1b\[[0-9;]*m")


class Gateway:
    def __init__(self, folder: Path, registry: str, user: str, password: str):
        """To `registry`, for `user`, with its spool in `folder`."""
        home = folder / "gateway"
        self.spool = home / "spool"
        self.spool.mkdir(parents=True)
        env = environment(home, DOCKER_CONFIG=str(home), RUST_LOG="berth=info")
        berth = berth_binary()
        subprocess.run([berth, "login", registry, "--username", user, "--password-stdin"], input=password.encode(),
                       env=env, check=True, capture_output=True)
        argv = [berth, "gateway", "--to", registry, "--addr", "127.0.0.1:0", "--spool", self.spool]
        self.daemon = Daemon("berth gateway", argv, env, home / "gateway.log")
        self.daemon.until(lambda: SERVES.search(self.said()), "it says where it serves")
        # By its number: Docker's --insecure-registry names that.
        self.host = "127.0.0.1:" + SERVES.search(self.said())[1]

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, kind, *_) -> None:
        exit_code = self.daemon.stop()
        if kind is None:
            equal("exit code of the gateway after SIGTERM", exit_code, 0)
            equal("what is left in its spool", list(self.spool.iterdir()), [])

    def said(self) -> str:
        return COLORS.sub("", self.daemon.log.read_text(errors="replace"))

    def output(self) -> str:
        return self.daemon.output()

    def passed_on(self) -> dict[str, tuple[int, float]]:
        """Size of each blob, and the seconds that it took on its way to the registry, by its digest."""
        return {digest: (int(size), float(seconds)) for digest, size, seconds in PASSED_ON.findall(self.said())}

    def peak_mib(self) -> float:
        """The most memory that it has had resident so far (proc(5), VmHWM)."""
        status = Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        require(found is not None, "Linux says VmHWM")
        return int(found[1]) / 1024
