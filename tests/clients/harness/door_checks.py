"""The checks of a client against a deployment: nobody is let in without a login, and a request has at most 6 MB."""

import contextlib
from dataclasses import dataclass

from client.base import Client, ImageClient

from .checks import ImageChecks
from .content import TAG, Image, Index
from .failure import CommandFailure, equal, require
from .local_stack import LocalStack
from .proof_checks import ProofChecks
from .refusals import asked_to_log_in, brief, shut_out


@dataclass(frozen=True)
class Content:
    """What is pushed. `beyond` has a layer that is larger than a request to a function may be."""

    image: Image
    index: Index
    beyond: Image


class DoorChecks:
    def __init__(self, client: Client, stack: LocalStack, front: str, content: Content, proofs: ProofChecks):
        self.client, self.stack, self.front, self.content, self.proofs = client, stack, front, content, proofs
        self.traffic = client.traffic
        self.images = ImageChecks(client, content.image, content.index) if isinstance(client, ImageClient) else None

    def all(self) -> list:
        """Pairs of a name and a function that returns the detail to print."""
        own = self.client.own_checks()
        if self.images is None:
            return [*self.logins(), *own]
        return [*self.logins(), *self.images.before(), *own, *self.images.after(), *self.beyond()]

    def through_another_front(self) -> list:
        """Those of `all` in which a front end has a part: what is sent, not what is left out."""
        if self.images is None:
            return [*self.logins(), *self.client.own_checks()[:1]]
        push, pull = self.images.push, self.images.pull
        return [*self.logins(), ("push", push), ("pull", pull), *self.client.own_checks(), *self.beyond()]

    def logins(self) -> list:
        return [("anonymous", self.anonymous), ("wrong password", self.wrong_password), *self.proofs.all(),
                ("login", self.login)]

    def shut_out(self) -> list:
        return [("cannot log in", self.cannot_log_in)]

    def beyond(self) -> list:
        return [("push beyond the limit", self.push_beyond)]

    def push(self) -> None:
        if self.images is None:
            self.client.own_checks()[0][1]()
        else:
            self.client.push(self.content.image, f"{self.client.name}/refused", TAG)

    def anonymous(self) -> str:
        return asked_to_log_in(self.traffic, self.push)

    def wrong_password(self) -> str:
        def act():
            self.client.login(self.stack.user, "not-" + self.stack.password)
            self.push()

        try:
            return asked_to_log_in(self.traffic, act)
        finally:
            # Some keep what they were given, right or wrong; others complain that there is nothing to forget.
            with contextlib.suppress(CommandFailure):
                self.client.logout()

    def login(self) -> str:
        self.client.login(self.stack.user, self.stack.password)
        return f"as {self.stack.user}"

    def cannot_log_in(self) -> str:
        """With the right password: the front end renames the header that says how to log in."""
        def act():
            self.login()
            self.push()

        return shut_out(self.traffic, act)

    def push_beyond(self) -> str:
        """With CloudFront in front, a layer that comes by one PUT goes to S3. A PATCH is refused: by AWS with 413; or, where it
        declares its length, by CloudFront's function with 405 and advice."""
        repository = f"{self.client.name}/beyond"
        try:
            self.client.push(self.content.beyond, repository, TAG)
            said = None
        except CommandFailure as failure:
            said = brief(failure.said)
        refused = [request for request in self.traffic.requests() if request.status == 413]
        to_s3 = self.front == "cloudfront" and self.client.puts_layers
        if to_s3 or self.client.uploads_in_pieces:
            equal("the client says", said, None)
            equal("its manifest", self.client.registry.manifest(repository, TAG).digest, self.content.beyond.digest)
            if to_s3:
                equal("answers of 413", refused, [])
                return "goes through: CloudFront sends the layer to S3"
            return f"goes through: after {len(refused)} times 413 it sends smaller pieces"
        require(said is not None, "it was pushed")
        if self.front == "cloudfront" and self.client.declares_length:
            refused = [request for request in self.traffic.requests() if request.status == 405]
            equal("methods that were answered by 405", {request.method for request in refused}, {"PATCH"})
            require("berth gateway" in said, f"it does not say what to do: {said}")
            return f"refused {len(refused)} times by 405, it says: {said}"
        require(refused != [], f"no 413 was seen, and it says: {said}")
        return f"refused {len(refused)} times by 413, it says: {said}"
