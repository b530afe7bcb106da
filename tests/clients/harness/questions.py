"""What the registry asked STS and the issuer about those who logged in: no more than it has to, and nothing else."""

import base64
import collections
import json
from urllib.parse import parse_qs, urlsplit

from client.base import Client

from .failure import equal, require
from .login import token_of
from .process import Shell, environment
from .proofs import Proofs
from .server import HELPER

TOKENS = 20


class Questions:
    def __init__(self, proofs: Proofs):
        self.proofs, self.stack = proofs, proofs.stack
        self.seen = 0  # questions to STS that a check has looked at
        self.jobs = 0  # clients that logged in by a token of the issuer

    def of_client(self, client: Client) -> str:
        """Each is about a proof that was made for the client's registry by the caller's credentials; an instance that has
        the answer asks no more."""
        self.jobs += 1
        asked, requests = self.asked(client.host), client.traffic.recorder.requests
        tokens = [request for request in requests if request.path == "/token" and request.status == 200]
        # Where `WWW-Authenticate` is renamed, a client asks for no token: each request has the password.
        shown = tokens + [r for r in requests if r.has_password and r.path != "/token" and r.status != 401]
        require(0 < len(asked) <= len(shown), f"{len(asked)} questions for {len(shown)} requests with a password")
        return f"{self.about(asked)}, {len(tokens)} tokens in all"

    def remembered(self) -> str:
        """One proof for many tokens, of any instance."""
        env = environment(self.proofs.temp, **self.proofs.aws)
        told = json.loads(Shell(env).run(HELPER, "get", stdin=self.stack.host))
        pair = base64.b64encode(f"{told['Username']}:{told['Secret']}".encode()).decode()
        for _ in range(TOKENS):
            token_of(self.stack.registry().opener, f"http://{self.stack.host}/token", f"Basic {pair}")
        return f"{TOKENS} tokens, {self.about(self.asked(self.stack.host))}"

    def nothing_else(self) -> str:
        """The issuer was asked once by each instance, and STS nothing that no check knows of."""
        counts = self.stack.ask("/_counts")
        issuer = {name: count for name, count in counts.items() if name.startswith("oidc:")}
        equal("whether the issuer was asked", sorted(issuer), ["oidc:Discovery", "oidc:Keys"] if self.jobs else [])
        require(max(issuer.values(), default=0) <= self.starts(), f"{issuer}, by {self.starts()} instances")
        equal("questions to STS", {name: count for name, count in counts.items() if name.startswith("sts:")},
              {"sts:GetCallerIdentity": self.seen})
        said = " and ".join(f"{count} times {name.partition(':')[2].lower()}" for name, count in issuer.items())
        return f"{self.seen} to STS; {said or 'nothing'} of the issuer, for {self.jobs} clients"

    def starts(self) -> int:
        return self.stack.ask("/_function")["starts"]

    def asked(self, host: str) -> list[dict]:
        return [question for question in self.stack.ask("/_sts/asked") if question["registry"] == host]

    def about(self, asked: list[dict]) -> str:
        """Checks the questions; returns how many there are."""
        aws, proofs = self.stack.aws, collections.Counter()
        for question in asked:
            # The header that binds it is signed: the emulated STS refuses what is not signed as it says.
            equal("the question's headers", question["headers"], ["accept", "host", "x-berth-registry"])
            equal("the question's host", question["host"], "sts.us-east-1.amazonaws.com")
            there = urlsplit(question["target"])
            query = {name: value for name, [value] in parse_qs(there.query, strict_parsing=True).items()}
            proofs[query.pop("X-Amz-Signature")] += 1
            access_key, day, *scope = query.pop("X-Amz-Credential").split("/")
            equal("the access key", access_key, aws["AWS_ACCESS_KEY_ID"])
            equal("the scope", scope, ["us-east-1", "sts", "aws4_request"])
            require(query.pop("X-Amz-Date").startswith(day), "the scope is of another day")
            require(1 <= int(query.pop("X-Amz-Expires")) <= 900, f"a life beyond 900 s: {there.query}")
            equal("the rest of the question", {"path": there.path, **query}, {
                "path": "/", "Action": "GetCallerIdentity", "Version": "2011-06-15",
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-SignedHeaders": "host;x-berth-registry",
                "X-Amz-Security-Token": aws["AWS_SESSION_TOKEN"],
            })
        most = max(proofs.values())
        require(most <= self.starts(), f"one proof was asked about {most} times by {self.starts()} instances")
        self.seen += len(asked)
        return f"{len(asked)} questions to STS about {len(proofs)} proofs"
