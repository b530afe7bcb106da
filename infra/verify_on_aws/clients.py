"""The installed clients: each logs in, pushes a small image and one with a layer of 8 MB, and pulls both."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .assumptions import CLOUDFRONT, FUNCTION_URL
from .client_programs import KINDS, Client, Failed
from .findings import HIDDEN, Finding
from .image import Image
from .programs import find
from .session import Session

SMALL, LARGE = 100_000, 8_000_000
# Which finds the challenge under any header's name.
ANY_CHALLENGE = ("crane",)


def installed() -> list:
    return [name for name in KINDS if find(name)]


def tried(client: Client, steps: list) -> tuple:
    """(what worked, what did not and why). A login or a push that fails ends the steps that need it, and no others."""
    good, bad = [], []
    for name, step in steps:
        if name.replace("pull", "push") in dict(bad):
            continue
        try:
            step()
            good.append(name)
        except (Failed, OSError, subprocess.TimeoutExpired) as failed:
            bad.append((name, str(failed)))
            if name == "log in":
                break
    return good, bad


def expected(client: Client, front: str) -> tuple:
    """The steps which the documentation promises for this client."""
    if front == FUNCTION_URL and client.name not in ANY_CHALLENGE:
        return ()
    small = ("log in", "push", "pull")
    return (*small, "push 8 MB", "pull 8 MB") if front == CLOUDFRONT and client.puts else small


def run(session: Session) -> Iterator[Finding]:
    """One finding for each installed client."""
    for name in installed():
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="verify-") as temporary:
            folder = Path(temporary)
            client = KINDS[name](name, session, folder)
            reason = client.missing()
            question = f"What works with {name}?"
            if reason:
                yield Finding(
                    session.front, f"client-{name}", question, HIDDEN, reason, "Nothing follows from this run.", True
                )
                continue
            small, large = Image(folder / "small-image", SMALL), Image(folder / "large-image", LARGE)
            good, bad = tried(
                client,
                [
                    ("log in", client.login),
                    ("push", lambda: client.push(small, "small")),
                    ("pull", lambda: client.pull("small")),
                    ("push 8 MB", lambda: client.push(large, "large")),
                    ("pull 8 MB", lambda: client.pull("large")),
                ],
            )
        lacking = [step for step in expected(client, session.front) if step not in good]
        detail = f"works: {', '.join(good) or 'nothing'}" + "".join(f"; {step} fails: {why}" for step, why in bad)
        told = f"The documentation promises {', '.join(lacking)}." if lacking else "As documented."
        yield Finding(
            session.front,
            f"client-{name}",
            question,
            "less" if lacking else "as documented",
            detail,
            told,
            not lacking,
            seconds=time.monotonic() - began,
        )
