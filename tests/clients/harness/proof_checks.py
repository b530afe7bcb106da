"""The checks of a client's login: by each kind of proof it pushes and pulls, and no further than the rules let it."""

from collections.abc import Callable

from client.base import Client, ImageClient

from .checks import ImageChecks
from .content import TAG, Image
from .failure import equal, require
from .proofs import Proof, Proofs
from .questions import Questions
from .refusals import asked_to_log_in, denied
from .wait import until


class ProofChecks:
    def __init__(self, client: Client, proofs: Proofs, questions: Questions, images: dict[str, Image]):
        """`images` are by the names of proofs: one that was pushed by another would not be sent again."""
        self.client, self.proofs, self.questions, self.images = client, proofs, questions, images
        self.traffic = client.traffic

    def all(self) -> list:
        """Pairs of a name and a function that returns the detail to print."""
        kinds = self.proofs.all()
        return [
            *(pair for proof in kinds for pair in self.of(proof)),
            *([("AWS: login once, and pull", lambda: self.once(kinds[0]))] if self.client.reads_docker_config else []),
            ("AWS: questions to STS", lambda: self.questions.of_client(self.client)),
            ("anonymous pull", lambda: self.anonymous_pull(kinds[-1])),
            ("anonymous pull elsewhere", lambda: self.anonymous_pull_elsewhere(kinds[0])),
        ]

    def of(self, proof: Proof) -> list:
        return [
            (f"{proof.name}: login", lambda: self.login(proof)),
            (f"{proof.name}: push and pull", lambda: self.push_and_pull(proof)),
            (f"{proof.name}: push elsewhere", lambda: denied(self.traffic, self.pushes(proof, proof.elsewhere))),
            (f"{proof.name}: logout", lambda: self.logout(proof)),
        ]

    def login(self, proof: Proof) -> str:
        return proof.login(self.client)

    def push_and_pull(self, proof: Proof) -> str:
        repository, checks = self.repository(proof.folder), None
        told = self.pushes(proof, proof.folder)()
        if isinstance(self.client, ImageClient):
            image = self.images[proof.name]
            checks = ImageChecks(self.client, image, image)
            manifest = checks.same_image(repository, TAG, image)
        else:
            manifest = self.client.stored(self.place(proof.folder))
        if told:
            equal("manifest digest as the client tells it", told, manifest.digest)
        require(self.client.uploads_to_s3 or self.traffic.uploads() != [], "no upload was seen")
        self.pulls(proof)()
        if checks:
            checks.fetched(manifest)
        until(lambda: self.proofs.stack.who_changed(repository) == {proof.caller},
              f"{proof.caller} alone is logged to have changed {repository}")
        return f"as {proof.caller}, digests equal"

    def logout(self, proof: Proof) -> str:
        proof.logout(self.client)
        return asked_to_log_in(self.traffic, self.pushes(proof, proof.elsewhere))

    def once(self, proof: Proof) -> str:
        said = self.proofs.login_once(self.client)
        self.pulls(proof)()
        self.client.logout_by_aws()
        return said

    def anonymous_pull(self, public: Proof) -> str:
        self.pulls(public)()
        return f"of {self.repository(public.folder)}, digests equal"

    def anonymous_pull_elsewhere(self, private: Proof) -> str:
        return asked_to_log_in(self.traffic, self.pulls(private))

    def place(self, folder: str) -> str:
        return f"{folder}/{self.client.name}"

    def repository(self, folder: str) -> str:
        return f"{self.place(folder)}/{'image' if isinstance(self.client, ImageClient) else self.client.chart}"

    def pushes(self, proof: Proof, folder: str) -> Callable[[], str | None]:
        if isinstance(self.client, ImageClient):
            return lambda: self.client.push(self.images[proof.name], self.repository(folder), TAG)
        return lambda: self.client.push_to(self.place(folder))

    def pulls(self, proof: Proof) -> Callable[[], None]:
        if isinstance(self.client, ImageClient):
            return lambda: self.client.pull(self.images[proof.name], self.repository(proof.folder), TAG)
        return lambda: self.client.pull_from(self.place(proof.folder))
