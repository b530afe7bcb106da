"""How the harness itself is let in: as the registry asks for it, by a token of its service or by the password."""

import base64
import json
import re
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

ANSWER_SECONDS = 60
FRESH_SECONDS = 60  # no token lives shorter (Docker's "Token Authentication Specification")
OF_A_REPOSITORY = re.compile(r"^/v2/(.+)/(?:manifests|blobs|tags|referrers)/")


class Login:
    def __init__(self, opener: urllib.request.OpenerDirector, host: str, name: str, password: str):
        self.opener, self.host = opener, host
        pair = base64.b64encode(f"{name}:{password}".encode()).decode()
        self.basic = f"Basic {pair}"
        self.challenge: str | None = None
        self.tokens: dict[str, tuple[str, float]] = {}

    def authorization(self, path: str) -> str | None:
        """The header for a request of `path`; None where nobody is asked to log in."""
        if self.challenge is None:
            self.challenge = self._challenge()
        if not self.challenge.lower().startswith("bearer"):
            return self.basic if self.challenge else None
        asked = dict(re.findall(r'(\w+)="([^"]*)"', self.challenge))
        scope = scope_of(path)
        token, since = self.tokens.get(scope, ("", 0.0))
        if time.monotonic() - since > FRESH_SECONDS or not token:
            query = {"service": asked["service"], "scope": scope} if scope else {"service": asked["service"]}
            token = token_of(self.opener, f"{asked['realm']}?{urlencode(query)}", self.basic)
            self.tokens[scope] = token, time.monotonic()
        return f"Bearer {token}"

    def _challenge(self) -> str:
        try:
            with self.opener.open(f"http://{self.host}/v2/", timeout=ANSWER_SECONDS):
                return ""
        except urllib.error.HTTPError as error:
            # A function URL renames the first, and the registry sends the second for that reason.
            names = ("WWW-Authenticate", "x-berth-challenge", "x-amzn-Remapped-WWW-Authenticate")
            return next((error.headers[name] for name in names if error.headers[name]), "")


def token_of(opener: urllib.request.OpenerDirector, url: str, authorization: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": authorization})
    with opener.open(request, timeout=ANSWER_SECONDS) as answer:
        return json.load(answer)["token"]


def scope_of(path: str) -> str:
    """All that can be done where `path` leads; who may do less is given less."""
    if path.startswith("/v2/_catalog"):
        return "registry:catalog:*"
    found = OF_A_REPOSITORY.match(path)
    return f"repository:{found[1]}:pull,push,delete" if found else ""
