"""Whole runs on an account which fake `aws` and `sam` programs play."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import state
from checking import ROOT, equal, require

PROGRAM = ROOT / "infra/verify-on-aws"
# Those which need no registry that answers.
FEW = "reach,permissions,lambda-time"
SECONDS = 120


def programs(folder: Path) -> Path:
    """A folder with `aws` and `sam`, run by the Python that runs this."""
    made = folder / "bin"
    made.mkdir(exist_ok=True)
    for name in ("aws", "sam"):
        file = made / name
        file.write_text(
            f"#!{sys.executable} -B\nimport sys\nsys.path.insert(0, {str(ROOT / 'tests/verify')!r})\n"
            f"from fake_{name} import main\nsys.exit(main(sys.argv[1:]))\n"
        )
        file.chmod(0o755)
    return made


class Account:
    """One account, and runs on it."""

    def __init__(self, folder: Path, faults: str = "", path: str = "", **variables):
        self.folder, self.file = folder, folder / "account.json"
        state.create(self.file)
        tools = path or f"{programs(folder)}:{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {
            **kept,
            "PATH": tools,
            "FAKE_AWS_STATE": str(self.file),
            "FAKE_AWS_FAULTS": faults,
            "BERTH_VERIFY_POLL_SECONDS": "0.01",
            "HOME": str(folder),
            **variables,
        }

    def argv(self, *options: str) -> list:
        return [
            sys.executable,
            str(PROGRAM),
            "--json",
            str(self.folder / "found.json"),
            "--no-clients",
            "--no-conformance",
            *options,
        ]

    def run(self, *options: str, typed: str = "") -> "Ended":
        done = subprocess.run(
            self.argv(*options),
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            timeout=SECONDS,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @property
    def state(self) -> dict:
        return json.loads(self.file.read_text())

    @contextlib.contextmanager
    def edited(self):
        """The account's state, to change it."""
        changed = self.state
        yield changed
        self.file.write_text(json.dumps(changed))

    def stacks(self) -> list:
        """The names of all; none while the file is being written."""
        try:
            return list(self.state["stacks"])
        except json.JSONDecodeError:
            return []

    @property
    def calls(self) -> list:
        return self.state["calls"]

    def found(self) -> dict:
        return json.loads((self.folder / "found.json").read_text())

    def nothing_left(self) -> None:
        """Nothing of the run, and everything of somebody else."""
        now = self.state
        equal(
            "stacks",
            sorted(name for name, s in now["stacks"].items() if s["StackStatus"] != "DELETE_COMPLETE"),
            ["production"],
        )
        equal("buckets", now["buckets"], state.OTHERS["buckets"])
        equal("log groups", now["logs"], state.OTHERS["logs"])


class Ended:
    def __init__(self, code: int, out: str, err: str):
        self.code, self.out, self.err = code, out, err

    def expect(self, code: int, *texts: str) -> None:
        equal("exit code", (self.code, "" if self.code == code else self.err[-800:]), (code, ""))
        for text in texts:
            require(text in self.out + self.err, f"{text!r} is not in: {self.out[-1500:]}\n{self.err[-1500:]}")


def run(checks, options) -> None:
    def check(name: str, test, **arguments) -> None:
        with checks.check(name) as detail, tempfile.TemporaryDirectory(prefix="verify-test-") as folder:
            test(Account(Path(folder), **arguments), detail)

    check("without confirmation nothing is created", refused)
    check("a plan names its cost, and a yes goes on", confirmed)
    check("three front ends, each in its stack, and nothing is left", whole)
    check(
        "a front end that cannot be deployed does not keep the others from it",
        failed_deployment,
        faults="deploy:http-api=Table limit exceeded",
    )
    check("an account without CloudFront verification is told so", unverified, faults="deploy:cloudfront=unverified")
    check("a build that fails leaves nothing", failed_build, faults="build=no cargo-lambda")
    check("a deployment that is interrupted leaves nothing", interrupted, faults="deploy:http-api=hangs")
    check(
        "ctrl-C while deleting does not end the deletion",
        interrupted_twice,
        faults="deploy:cloudfront=hangs,delete:waits=GO",
    )
    check("a clean-up finds the bucket of a stack that is gone", bucket_of_a_deleted_stack)
    check("an id that no run has is refused", other_ids)
    check("an old AWS CLI is refused", old_program)
    check("SIGTERM during the deletion is answered", terminated_while_deleting, faults="delete:waits=GO")
    check("SIGTERM leaves nothing", terminated, faults="deploy:cloudfront=hangs")
    check("a stack whose deletion fails once is deleted by force", forced, faults="delete:fails=once")
    check("what cannot be deleted is named, with the command for it", left, faults="delete:fails=always")
    check(
        "a refused deletion of a bucket does not keep the rest",
        refused_bucket,
        faults="s3api:delete-bucket=AccessDenied",
    )
    check("--keep keeps, and --clean-up deletes it later", kept)
    check("missing programs and credentials are named", missing)
    check("a bucket outside us-east-1 names its region", elsewhere)
    if program := os.environ.get("BERTH_LAMBDA_LOCAL") or str(ROOT / "target/fast/lambda-local"):
        for front in ("cloudfront", "http-api", "function-url"):
            check(
                f"deployed, logged in to, checked and deleted: {front}",
                lambda account, detail: answering(account, detail, front, program),
            )


def refused(account, detail) -> None:
    for typed in ("", "n\n", "\n"):
        account.run(typed=typed).expect(2, "Expected cost: $", "Continue? [y/N]", "nothing was created")
    account.nothing_left()
    equal("commands", {call[1] for call in account.calls}, {"sts", "configure"})


def confirmed(account, detail) -> None:
    ended = account.run("--front", "function-url", "--only", FEW, typed="y\n")
    cost = re.search(r"Expected cost: \$(\d+\.\d\d)", ended.out).group(1)
    require(f"Account {state.ACCOUNT}, region us-east-1" in ended.out, ended.out[:500])
    account.nothing_left()
    detail.append(f"${cost}")


def whole(account, detail) -> None:
    ended = account.run("--yes", "--only", FEW)
    # Nothing answers there: the checks that ask the registry say so.
    ended.expect(1, "Nothing is left.", "2 invocations; 1 cold starts of 26 to 26 ms", "Connection refused")
    account.nothing_left()
    sam = [call for call in account.calls if call[0] == "sam"]
    equal("sam", [call[1] for call in sam], ["build", "deploy", "deploy", "deploy"])
    names = {state.options(call)["stack-name"] for call in sam[1:]}
    equal("stacks", len(names), 3)
    users = {
        re.search(r"^Users=(\S+)$", state.options(call)["parameter-overrides"], re.MULTILINE).group(1)
        for call in sam[1:]
    }
    require(all(re.fullmatch(r"verify:\$2b\$04\$[./A-Za-z0-9]{53}", user) for user in users), f"users: {users}")
    rules = re.search(r'^Rules="(.+)"$', state.options(sam[1])["parameter-overrides"], re.MULTILINE).group(1)
    require(f"allow account:{state.ACCOUNT} to" in rules and "allow user:verify to" in rules, rules)
    found = account.found()
    equal("left", found["left"], [])
    require(state.ACCOUNT not in json.dumps(found), "the file names the account")
    equal("questions", len(found["findings"]), 3 * (1 + 3))
    detail.append(f"{len(account.calls)} commands")


def failed_deployment(account, detail) -> None:
    ended = account.run("--yes", "--only", FEW)
    ended.expect(1, "[http-api] not deployed: EdgeDistribution: Table limit exceeded", "Nothing is left.")
    account.nothing_left()
    deployed = {f["front"]: f["value"] for f in account.found()["findings"] if f["check"] == "deployment"}
    equal("deployed", deployed, {"cloudfront": "yes", "http-api": "no", "function-url": "yes"})


def unverified(account, detail) -> None:
    ended = account.run("--yes", "--only", FEW)
    ended.expect(1, "account not verified", "AWS Support", "Nothing is left.")
    account.nothing_left()


def failed_build(account, detail) -> None:
    account.run("--yes").expect(1, "no cargo-lambda", "Nothing is left.")
    account.nothing_left()
    equal("deployments", [call for call in account.calls if call[:2] == ["sam", "deploy"]], [])


class Started:
    """A run which a signal is sent to, as the terminal or a runner does."""

    def __init__(self, account: Account, *options: str):
        self.account = account
        self.process = subprocess.Popen(
            account.argv("--yes", "--only", FEW, *options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=account.environment,
            start_new_session=True,
            # A runner in the background ignores ctrl-C, and what it starts inherits that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.err = []
        self.timer = threading.Timer(SECONDS, self.process.kill)
        self.timer.start()

    def until(self, text: str) -> None:
        while line := self.process.stderr.readline():
            self.err.append(line)
            if text in line:
                return
        raise AssertionError(f"it ended before it printed {text!r}: {''.join(self.err)[-800:]}")

    def until_hanging(self, front: str) -> None:
        self.until(f"deploying {front}")
        while not any(name.endswith(front) for name in self.account.stacks()):
            pass

    def signal(self, number: int, group: bool = True) -> None:
        os.killpg(self.process.pid, number) if group else self.process.send_signal(number)

    def ended(self) -> Ended:
        out, err = self.process.communicate()
        self.timer.cancel()
        return Ended(self.process.returncode, out, "".join(self.err) + err)


def interrupted(account, detail) -> None:
    started = Started(account)
    started.until_hanging("http-api")
    started.signal(signal.SIGINT)
    started.ended().expect(130, "interrupted; deleting what was created", "Nothing is left.")
    account.nothing_left()
    found = account.found()
    equal("interrupted", found["interrupted"], True)
    require([f for f in found["findings"] if f["front"] == "cloudfront"], "what was found before is lost")


def interrupted_twice(account, detail) -> None:
    go = account.folder / "go"
    account.environment["FAKE_AWS_FAULTS"] = account.environment["FAKE_AWS_FAULTS"].replace("GO", str(go))
    started = Started(account)
    started.until_hanging("cloudfront")
    started.signal(signal.SIGINT)
    started.until("deleting stack")
    started.signal(signal.SIGINT)
    started.until("still deleting")
    go.touch()
    started.ended().expect(130, "Nothing is left.")
    account.nothing_left()


def terminated(account, detail) -> None:
    started = Started(account)
    started.until_hanging("cloudfront")
    # As a runner does it: the program alone; it ends its child itself.
    started.signal(signal.SIGTERM, group=False)
    started.ended().expect(130, "Nothing is left.")
    account.nothing_left()


def terminated_while_deleting(account, detail) -> None:
    go = account.folder / "go"
    account.environment["FAKE_AWS_FAULTS"] = account.environment["FAKE_AWS_FAULTS"].replace("GO", str(go))
    started = Started(account, "--front", "http-api")
    started.until("deleting stack")
    started.signal(signal.SIGTERM, group=False)
    started.until("still deleting")
    go.touch()
    require("Nothing is left." in started.ended().out, "something is left")
    account.nothing_left()


def bucket_of_a_deleted_stack(account, detail) -> None:
    """As after a deletion that ended between the stack and its bucket."""
    ended = account.run("--yes", "--only", FEW, "--front", "http-api", "--keep")
    run_id = re.search(r"--clean-up (berth-verify-[0-9a-f]{6})", ended.out).group(1)
    with account.edited() as there:
        there["stacks"][f"{run_id}-http-api"]["StackStatus"] = "DELETE_COMPLETE"
    account.run("--clean-up", run_id).expect(0, "deleted bucket", "Nothing is left.")
    account.nothing_left()


def other_ids(account, detail) -> None:
    for wrong in ("", "berth", "production", "berth-verify-0a1b2", "berth-verify-0a1b2c-http-api"):
        account.run("--clean-up", wrong).expect(2, "expected the id of a run")
    equal("commands", account.calls, [])


def old_program(account, detail) -> None:
    account.environment["FAKE_AWS_VERSION"] = "aws-cli/2.9.19 Python/3.11"
    account.run("--yes").expect(2, "aws-cli/2.9.19 is too old")


def forced(account, detail) -> None:
    account.run("--yes", "--only", FEW, "--front", "function-url").expect(1, "Nothing is left.")
    account.nothing_left()
    modes = [state.options(call).get("deletion-mode") for call in account.calls if call[2] == "delete-stack"]
    equal("modes", modes, [None, "FORCE_DELETE_STACK"])


def left(account, detail) -> None:
    ended = account.run("--yes", "--only", FEW, "--front", "http-api")
    [stack] = [name for name in account.state["stacks"] if name != "production"]
    ended.expect(
        1,
        f"LEFT stack {stack}: its deletion failed twice",
        f"aws cloudformation delete-stack --deletion-mode FORCE_DELETE_STACK --stack-name {stack} --region us-east-1",
    )
    equal("left", account.found()["left"], [f"stack {stack}"])
    equal("buckets", account.state["buckets"], state.OTHERS["buckets"])


def refused_bucket(account, detail) -> None:
    ended = account.run("--yes", "--only", FEW, "--front", "http-api")
    ended.expect(1, "LEFT bucket berth-verify-", "aws s3 rb --force s3://berth-verify-")
    equal("log groups", account.state["logs"], state.OTHERS["logs"])
    equal("objects", [name for name, b in account.state["buckets"].items() if b["objects"]], ["production-bucket"])


def kept(account, detail) -> None:
    ended = account.run("--yes", "--only", FEW, "--front", "cloudfront", "--keep")
    run_id = re.search(r"--clean-up (berth-verify-[0-9a-f]{6})", ended.out).group(1)
    equal("stacks", sorted(account.state["stacks"]), [f"{run_id}-cloudfront", "production"])
    account.run("--clean-up", run_id).expect(0, "Nothing is left.")
    account.nothing_left()


def missing(account, detail) -> None:
    without = Account(account.folder, path="/nonexistent")
    without.run("--yes").expect(2, "no aws in PATH")
    Account(account.folder, faults="sts:get-caller-identity=ExpiredToken").run("--yes").expect(
        2, "no AWS credentials", "ExpiredToken"
    )


def elsewhere(account, detail) -> None:
    account.run("--yes", "--only", FEW, "--front", "http-api", "--region", "eu-central-1")
    [created] = [state.options(call) for call in account.calls if call[2] == "create-bucket"]
    equal("place", created["create-bucket-configuration"], "LocationConstraint=eu-central-1")
    edge = [state.options(call)["region"] for call in account.calls if "/aws/cloudfront/function/" in " ".join(call)]
    equal("regions of CloudFront's logs", set(edge), {"us-east-1"})


def answering(account, detail, front: str, program: str) -> None:
    """With a registry that answers: the password which the run made up is the deployment's, and all checks are made."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    account.environment |= {"FAKE_LAMBDA_LOCAL": program, "AWS_ENDPOINT_URL_S3": f"http://localhost:{port}"}
    ended = account.run("--yes", "--front", front, "--sizes", "20000000", "--slow", "1")
    account.nothing_left()
    found = {f["check"]: f for f in account.found()["findings"]}
    equal("password", found["password"]["value"], "yes")
    failed = sorted(f"{name}: {f['value']}: {f['detail']}" for name, f in found.items() if not f["ok"])
    equal("failed", failed, [])
    differing = [f"{name}: {f['value']}" for name, f in found.items() if f["verdict"].startswith("differs")]
    equal("differing", differing, [])
    require(len(found) > 20 or front != "cloudfront", f"{len(found)} findings")
    equal("exit code", ended.code, 0)
    detail.append(f"{len(found)} findings")
