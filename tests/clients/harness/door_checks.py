"""The checks of a client before a registry that lets nobody in without a password, and takes no large body."""

import contextlib

from client.base import Client, ImageClient

from .checks import ImageChecks
from .content import TAG, Image, Index
from .failure import CommandFailure, equal, require
from .proof_checks import ProofChecks
from .refusals import asked_to_log_in, brief


class DoorChecks:
    def __init__(self, client: Client, user: str, password: str, image: Image, index: Index, beyond: Image,
                 proofs: ProofChecks):
        """`beyond` has a layer that is larger than the door lets through."""
        self.client, self.user, self.password, self.beyond = client, user, password, beyond
        self.proofs = proofs
        self.image, self.traffic = image, client.traffic
        self.images = ImageChecks(client, image, index) if isinstance(client, ImageClient) else None

    def all(self) -> list:
        """Pairs of a name and a function that returns the detail to print."""
        own = self.client.own_checks()
        if self.images is None:
            return [*self.closed(), *own]
        return [
            *self.closed(), *self.images.before(), *own, *self.images.after(),
            ("push beyond the limit", self.push_beyond),
        ]

    def closed(self) -> list:
        return [("anonymous", self.anonymous), ("wrong password", self.wrong_password), *self.proofs.all(),
                ("login", self.login)]

    def push(self) -> None:
        if self.images is None:
            self.client.own_checks()[0][1]()
        else:
            self.client.push(self.image, f"{self.client.name}/refused", TAG)

    def anonymous(self) -> str:
        return asked_to_log_in(self.traffic, self.push)

    def wrong_password(self) -> str:
        def act():
            self.client.login(self.user, "not-" + self.password)
            self.push()

        try:
            return asked_to_log_in(self.traffic, act)
        finally:
            # Some keep what they were given, right or wrong; others complain that there is nothing to forget.
            with contextlib.suppress(CommandFailure):
                self.client.logout()

    def login(self) -> str:
        self.client.login(self.user, self.password)
        return f"as {self.user}"

    def push_beyond(self) -> str:
        """What a client makes of the door's 413."""
        repository = f"{self.client.name}/beyond"
        try:
            self.client.push(self.beyond, repository, TAG)
            said = None
        except CommandFailure as failure:
            said = brief(failure.said)
        refused = [request for request in self.traffic.requests() if request.status == 413]
        if self.client.uploads_in_pieces:
            equal("the client says", said, None)
            equal("its manifest", self.client.registry.manifest(repository, TAG).digest, self.beyond.digest)
            return f"goes through: after {len(refused)} times 413 it sends smaller pieces"
        require(said is not None, "it was pushed")
        require(refused != [], f"no 413 was seen, and it says: {said}")
        return f"refused {len(refused)} times, it says: {said}"
