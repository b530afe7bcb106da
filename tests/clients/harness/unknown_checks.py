"""The checks of one client in a run of `tests/clients/unknowns`: a login, and what it pushes and pulls."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from client.base import Client, ImageClient
from client.berth import Berth
from client.helm import Helm

from .checks import ImageChecks
from .content import TAG, Image, Index
from .failure import CommandFailure, equal
from .large_chart import enlarge
from .refusals import not_a_success, not_let_in
from .registry import Registry
from .session import session
from .unknowns import ANONYMOUS, EXPIRED, Run

# Without these there is nothing else to see.
REQUIRED = ("start", "login", "push", "push-chart")


@dataclass(frozen=True)
class Pushed:
    """What is pushed. `large` has a layer that is larger than a request to a function may be."""

    image: Image
    index: Index
    large: Image


@dataclass
class Outcome:
    failed: dict[str, str] = field(default_factory=dict)  # check: what was seen
    evidence: dict[str, str] = field(default_factory=dict)


class UnknownChecks:
    def __init__(self, client: Client, run: Run, login: tuple[str, str], pushed: Pushed):
        self.client, self.run, self.pushed = client, run, pushed
        self.user, self.password = login
        self.traffic = client.traffic

    def all(self) -> list:
        """Pairs of a name and a function."""
        if self.run.assumption == ANONYMOUS:
            return [("anonymous-push", self.refused_push), ("anonymous-pull", self.refused_pull),
                    ("wrong-password", self.unseen_wrong_password), ("right-password", self.unseen_password)]
        if self.run.assumption == EXPIRED:
            return [("push", self.refused_push), ("pull", self.refused_pull)]
        checks = [("wrong-password", self.wrong_password), ("login", self.login), *self.pushes()]
        return [(name.replace(" ", "-"), check) for name, check in checks]

    def pushes(self) -> list:
        if isinstance(self.client, Berth):
            return [("push", self.push), ("pull", self.pull)]
        own, large = self.client.own_checks(), []
        if self.run.front == "cloudfront" and self.client.puts_layers:
            large = [("large", self.large)]
        if not isinstance(self.client, ImageClient):
            return [*own, *large]
        images = ImageChecks(self.client, self.pushed.image, self.pushed.index)
        # Not what no front end has a part in: mounts.
        before = [(name, check) for name, check in images.before() if name != "mount"]
        return [*before, *own, *large, *[(name, check) for name, check in images.after() if name == "delete manifest"]]

    def login(self) -> None:
        self.client.login(self.user, self.password)

    def push(self) -> None:
        if isinstance(self.client, Helm):
            self.client.push_to("helm")
        else:
            self.client.push(self.pushed.image, f"{self.client.name}/image", TAG)

    def pull(self) -> None:
        if isinstance(self.client, Helm):
            self.client.pull_from("helm")
        else:
            self.client.pull(self.pushed.image, f"{self.client.name}/image", TAG)

    def large(self) -> None:
        if isinstance(self.client, Helm):
            enlarge(self.client)
            self.client.push_to("helm/large")
            self.client.stored("helm/large")
            return
        repository = f"{self.client.name}/large"
        self.client.push(self.pushed.large, repository, TAG)
        equal("manifest", self.client.registry.manifest(repository, TAG).digest, self.pushed.large.digest)

    def log_in_wrongly(self) -> None:
        self.client.login(self.user, "not-" + self.password)
        self.push()

    def wrong_password(self) -> None:
        with self.forgotten():
            not_let_in(self.traffic, self.log_in_wrongly)

    def refused_push(self) -> None:
        not_a_success(self.traffic, self.push)

    def refused_pull(self) -> None:
        not_a_success(self.traffic, self.pull)

    def unseen_wrong_password(self) -> None:
        with self.forgotten():
            not_a_success(self.traffic, self.log_in_wrongly)

    def unseen_password(self) -> None:
        """It never learns how to log in, except Berth's own client: that reads `x-berth-challenge`."""
        def act():
            self.login()
            self.push()

        if not isinstance(self.client, Berth):
            not_a_success(self.traffic, act)
            return
        act()
        equal("manifest", self.client.registry.manifest(f"{self.client.name}/image", TAG).digest, self.pushed.image.digest)

    @contextlib.contextmanager
    def forgotten(self):
        try:
            yield
        finally:
            # Some keep what they were given, right or wrong; others complain that there is nothing to forget.
            with contextlib.suppress(CommandFailure):
                self.client.logout()


def outcome(kind: type[Client], temp: Path, registry: Registry, run: Run, login: tuple[str, str], pushed: Pushed) -> Outcome:
    """Runs all checks of a client; those that nothing can come of any more are left out."""
    seen = Outcome()
    with session(kind, temp, registry) as running:
        checks = UnknownChecks(running.client, run, login, pushed).all()
        for name, check in [("start", running.client.start), *checks]:
            running.begin()
            try:
                check()
            except Exception as error:  # an answer that no check foresaw is a failure like any other
                said = f": {error.said}" if isinstance(error, CommandFailure) else ""
                seen.failed[name] = f"{error}{said}"
                seen.evidence[name] = running.evidence()
                if name in REQUIRED:
                    break
    return seen
