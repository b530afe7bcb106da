"""Who pushes and pulls in the local stack, by which proof, and the rules that let them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from client.base import Client

from .failure import require
from .local_stack import LocalStack, storage_settings
from .process import PATH, Shell, environment
from .server import HELPER, berth_binary, free_port

PASSWORD = "a password for tests"
HASH = "$2b$05$abcdefghijklmnopqrstuu.abnSPEesfGOHQI9ifaJVIDjeBtOKn2"  # of it
OWNER, USER = "berth", "anna"  # the owner is the suite itself, and whoever runs its other checks
KEY = "publisher"
ACCOUNT, ROLE = "123456789012", "deployer"  # as lambda-local has them
# What an issuer says of a job, as GitHub Actions does.
CLAIMS = {
    "sub": "repo:acme/app:ref:refs/heads/main", "repository": "acme/app", "repository_owner": "acme",
    "ref": "refs/heads/main",
}


def rules(issuer: str) -> str:
    return "; ".join([
        f"allow user:{OWNER} to pull, push, delete, catalog on **",
        "allow user:* to pull, push on home/${user}/**",
        "allow user:* to pull on home/**",
        f"allow role:{ACCOUNT}/* to pull, push on roles/${{role}}/**",
        f"allow account:{ACCOUNT} to pull on roles/**",
        f"allow oidc:{issuer} to pull, push on code/${{repository}}/** if repository_owner=acme ref=refs/heads/*",
        f"allow oidc:{issuer} to pull on code/**",
        f"allow key:{KEY} to pull, push on public/**",
        "allow key:* to pull on shared/**",
        "allow anonymous to pull on public/**",
    ])


def options() -> list[str]:
    """Those of lambda-local. The issuer's address is fixed, since rules name it."""
    oidc = f"127.0.0.1:{free_port()}"
    users = [word for user in (OWNER, USER) for word in ("--user", f"{user}:{HASH}")]
    return ["--oidc", oidc, "--parameter", f"Rules={rules(f'http://{oidc}')}", *users]


@dataclass(frozen=True)
class Proof:
    """A way to say who one is. `caller` is how the registry's log calls it, `folder` where it may push, and `elsewhere`
    where it may only pull."""

    name: str
    caller: str
    folder: str
    elsewhere: str
    login: Callable[[Client], str]
    logout: Callable[[Client], None]


class Proofs:
    """Each kind, of a caller who holds it."""

    def __init__(self, stack: LocalStack, temp: Path):
        self.stack, self.temp = stack, temp
        # The helper alone: beside it lies all that was built.
        (temp / "bin").mkdir(parents=True)
        require(HELPER.is_file(), f"no {HELPER}: build it")
        (temp / "bin" / HELPER.name).symlink_to(HELPER)
        self.aws = {**stack.aws, "PATH": f"{temp / 'bin'}:{PATH}"}
        self.key = self.make_key()

    def all(self) -> list[Proof]:
        job = f"oidc:{self.stack.issuer} {CLAIMS['sub']}"
        return [
            Proof("AWS", f"role:{ACCOUNT}/{ROLE}", f"roles/{ROLE}", "roles/other", self.login_by_aws, self.logout_by_aws),
            Proof("OIDC", job, "code/acme/app", "code/acme/other", *as_password("oidc", self.job_token)),
            Proof("user", USER, f"home/{USER}", "home/other", *as_password(USER, lambda: PASSWORD)),
            # The last: what it pushes is for everybody.
            Proof("API key", f"key:{KEY}", "public", "shared", *as_password(KEY, lambda: self.key)),
        ]

    def login_by_aws(self, client: Client) -> str:
        client.shell.env.update(self.aws)
        return client.login_by_aws()

    def logout_by_aws(self, client: Client) -> None:
        client.logout_by_aws()
        for name in self.stack.aws:
            del client.shell.env[name]
        client.shell.env["PATH"] = PATH

    def login_once(self, client: Client) -> str:
        """Where the helper is not to be had when the client runs, nor the credentials: in a job's later steps."""
        client.shell.run(berth_binary(), "login", client.host, "--once", **self.aws)
        return "by berth login --once"

    def job_token(self) -> str:
        """What a CI job asks its platform for."""
        claims = {**CLAIMS, "aud": self.stack.audience}
        return self.stack.ask("/_oidc/token", "POST", claims)["token"]

    def make_key(self) -> str:
        """By whoever runs the registry, with its storage at hand."""
        shell = Shell(environment(self.temp, **storage_settings(self.stack)))
        return shell.run(berth_binary(), "keys", "create", KEY, "--expires", "1h").strip()


def as_password(user: str, password: Callable[[], str]) -> tuple[Callable[[Client], str], Callable[[Client], None]]:
    """Login and logout, by the client's own means."""

    def login(client: Client) -> str:
        client.login(user, password())
        return f"as the password of {user}"

    return login, lambda client: client.logout()
