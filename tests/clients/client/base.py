"""What the suite asks of every client. Each file beside this one is one client."""

import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from harness.content import Image, Index
from harness.failure import require
from harness.process import Shell
from harness.registry import Registry
from harness.server import berth_binary
from harness.traffic import Traffic


class Client:
    """A client with checks of its own; one of images is an `ImageClient`."""

    name: str
    needs: tuple[str, ...]  # rows of the file `versions`; the first one's version is reported
    needs_root = False

    # Logs in only where a 401 has `WWW-Authenticate` under its own name. A client that does not sends the password at once.
    needs_challenge = True

    # Sends a layer by one PUT with Content-Length, not by a PATCH.
    puts_layers = False

    # Sends the Content-Length of that PATCH: it knows how long the layer is, which comes from a file.
    declares_length = False

    # Sends the content of blobs to S3 itself, by presigned URLs.
    uploads_to_s3 = False

    reads_docker_config = True

    # What the client never does, by the name of the check that is for that reason missing.
    never: dict[str, str] = {}

    def __init__(self, temp: Path, shell: Shell, host: str, registry: Registry, traffic: Traffic):
        """`host` is where the client finds the registry, by way of the recorder; `registry` is its
        API, past the recorder; `temp` is the client's own folder, and its home."""
        self.temp, self.shell, self.host = temp, shell, host
        self.registry, self.traffic = registry, traffic
        self.run = shell.run

    def ref(self, repository: str, tag: str) -> str:
        return f"{self.host}/{repository}:{tag}"

    def login(self, user: str, password: str) -> None:
        """Makes the client use these with the registry from now on. Some ask the registry whether they are right, others
        only remember them."""
        raise NotImplementedError

    def logout(self) -> None:
        """Forgets what `login` kept. Who cannot forget it by itself has it in Docker's configuration, and Berth can."""
        self.run(berth_binary(), "logout", self.host)

    def login_by_aws(self) -> str:
        """Has whoever needs a password of the registry ask `docker-credential-berth` for it, which is in the PATH, with
        AWS credentials in its environment; returns how. This is for those that read Docker's configuration."""
        told = self.run(berth_binary(), "login", self.host)
        require(f"logged in to {self.host} as " in told, f"berth login says: {told}")
        return told.partition(" as ")[2].partition(";")[0] + ", by berth login"

    def logout_by_aws(self) -> None:
        self.run(berth_binary(), "logout", self.host)

    def start(self) -> None:
        """Whatever must be there before the first check."""

    def stop(self) -> None:
        """Ends what `start` began. Called even if `start` failed half-way."""

    def logs(self) -> str:
        """What its daemons said lately, for a failure's report."""
        return ""

    def own_checks(self) -> list:
        """Pairs of a name and a function; the function returns the detail to print."""
        return []

    def overrides(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(ImageClient, method)


class ImageClient(Client, ABC):
    # Pushes the manifest and the layers as they are. A client that does not holds layers as tar
    # files and compresses them anew: then the config's digest and the diff ids are what must be equal.
    keeps_bytes = True

    # Asks to mount the config too, not the layers only.
    mounts_config = True

    # Sends a layer in smaller pieces when the registry says that it is too large.
    uploads_in_pieces = False

    # Knows where the registry has a blob from a pull only, not from its own push.
    mounts_what_it_pulled = False

    @abstractmethod
    def push(self, content: Image | Index, repository: str, tag: str) -> str | None:
        """Pushes; returns the manifest's digest if the client tells it."""

    @abstractmethod
    def pull(self, content: Image | Index, repository: str, tag: str) -> None:
        """Pulls from nothing, so that every blob is fetched, and checks what is then on disk, or in
        the client's store, against `content`."""

    @abstractmethod
    def mount(self, image: Image, source: str, target: str, tag: str) -> None:
        """Puts `image`, pushed to the repository `source`, into `target` in the client's own way."""

    def new_layout(self, content: Image | Index) -> Path:
        """Where to pull to: nothing is there."""
        layout = self.temp / f"pulled-{content.layout.name}"
        shutil.rmtree(layout, ignore_errors=True)
        return layout

    def delete_tag(self, repository: str, tag: str) -> None:
        """Not every client can."""
        raise NotImplementedError

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Not every client can."""
        raise NotImplementedError
