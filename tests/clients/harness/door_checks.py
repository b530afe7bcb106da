"""The checks of a client before a registry that lets nobody in without a password, and takes no large body."""

import re

from client.base import Client, ImageClient

from .checks import ImageChecks
from .content import TAG, Image, Index
from .failure import CommandFailure, Failure, equal, require

# How clients say that they were not let in. Each has its own words.
REFUSED = ("unauthorized", "401", "authorization", "authentication", "credential", "username/password", "no basic auth")
LONGEST = 150  # characters of what a client says; it may name each layer


class DoorChecks:
    def __init__(self, client: Client, user: str, password: str, image: Image, index: Index, beyond: Image):
        """`beyond` has a layer that is larger than the door lets through."""
        self.client, self.user, self.password, self.beyond = client, user, password, beyond
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
        return [("anonymous", self.anonymous), ("wrong password", self.wrong_password), ("login", self.login)]

    def push(self) -> None:
        if self.images is None:
            self.client.own_checks()[0][1]()
        else:
            self.client.push(self.image, f"{self.client.name}/refused", TAG)

    def refused(self, act) -> str:
        try:
            act()
        except CommandFailure as failure:
            said = failure.said
        else:
            raise Failure("it was let in")
        require(any(word in said.lower() for word in REFUSED), f"it does not say why: {said}")
        requests = self.traffic.requests()
        require(any(request.status == 401 for request in requests), "the registry was not asked")
        let_in = [str(request) for request in requests if request.status and request.status < 400 and request.path != "/token"]
        equal("requests that were let in", let_in, [])
        return brief(said)

    def anonymous(self) -> str:
        return self.refused(self.push)

    def wrong_password(self) -> str:
        def act():
            self.client.login(self.user, "not-" + self.password)
            self.push()

        return self.refused(act)

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


def brief(said: str) -> str:
    """The end of what a client says, where the reason stands, without a log line's frame and without whole digests."""
    said = re.sub(r"\?_state=[^\s\":]*", "?...", said)
    framed = re.search(r'msg="(.*)"$', said)
    said = re.sub(r"(sha256:[0-9a-f]{8})[0-9a-f]{56}", r"\1", framed[1].replace('\\"', '"') if framed else said)
    return said if len(said) <= LONGEST else "..." + said[-LONGEST:]
