"""A folder for one run, gone at its end whatever the daemons left mounted in it."""

import contextlib
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path


@contextlib.contextmanager
def scratch_folder():
    # As short as can be: a unix socket's path has room for 107 bytes. And without the underscores of mkdtemp's: podman has the
    # path in an image's name.
    path = Path("/tmp", f"berth-{secrets.token_hex(4)}")
    path.mkdir(mode=0o700)
    # A runner that is told to end must still end its daemons.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield path
    finally:
        for mount in _mounts_below(path):
            subprocess.run(["/bin/umount", "--lazy", mount], check=False)
        shutil.rmtree(path, ignore_errors=True)


def _mounts_below(path: Path) -> list[str]:
    """Innermost first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in points if point.startswith(f"{path}/")), reverse=True)
