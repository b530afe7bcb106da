"""The parts which need neither an account nor a local stack."""

import hashlib
import itertools
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from checking import ROOT, equal, require

from verify_on_aws import arguments, assumptions, bcrypt, combinations, cost, layer, local, report, s3
from verify_on_aws.checks import CHECKS, logs
from verify_on_aws.findings import HIDDEN, Finding
from verify_on_aws.registry import Registry


def run(checks, options) -> None:
    with checks.check("bcrypt hashes as others make them"):
        salt = bytes.fromhex("29cdd1de9f5fbf9b0f8e9f4a1b4e0a31")
        equal(
            "cost 6",
            bcrypt.hashed("abc", 6, decoded("If6bvum7DFjUnE9p2uDeDu")),
            "$2b$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
        )
        equal("the salt in the hash", decoded(bcrypt.hashed("x", 4, salt)[7:29]), salt)
        require(
            re.fullmatch(r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}", bcrypt.hashed("x")),
            "as the template's pattern has it",
        )
    with checks.check("signature version 4 as AWS documents it"):
        # "Signature Calculations for the Authorization Header", the example GET with a range.
        headers = {
            "host": "examplebucket.s3.amazonaws.com",
            "range": "bytes=0-9",
            "x-amz-date": "20130524T000000Z",
            "x-amz-content-sha256": hashlib.sha256(b"").hexdigest(),
        }
        keys = s3.Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        signed = s3.signature(
            keys, "us-east-1", "20130524T000000Z", "GET", "/test.txt", headers, headers["x-amz-content-sha256"]
        )
        equal(
            "signature", signed.rpartition("=")[2], "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
    with checks.check("a layer is the same at each reading, and unlike others"):
        one, other = layer.Layer(3_000_001), layer.Layer(3_000_001)
        content = b"".join(one.blocks())
        equal("size", len(content), 3_000_001)
        equal("digest", "sha256:" + hashlib.sha256(content).hexdigest(), one.digest)
        require(one.digest != other.digest, "two layers are alike")
    for front in assumptions.FRONTS:
        with checks.check(f"combinations for {front}") as detail:
            covered(front, detail)
    with checks.check("each assumption is observed by a check, or says why it is not"):
        for assumption in assumptions.ASSUMPTIONS:
            for front in assumption.fronts:
                observing = [c for c in CHECKS if front in c.fronts and c.assumptions.get(front) == assumption.name]
                require(observing, f"{assumption.name} is observed by no check of {front}")
            require(assumption.fronts or assumption.unobserved, f"{assumption.name} is not observed")
            require(all(assumption.values.values()), f"{assumption.name}: a value has no consequence")
    with checks.check("every price of a plan is in the table") as detail:
        plan = cost.Plan(assumptions.FRONTS, (1_000_000_000, 5_000_000_000), 8, True)
        lines = cost.lines(plan)
        require(0.05 < cost.total(lines) < 5, f"${cost.total(lines)}")
        [sent] = [line.amount for line in lines if line.price == "cloudfront to origin"]
        require(sent > 6, "GB sent to origins")
        detail.append(f"${cost.total(lines):.2f}")
    with checks.check("a plan without large layers costs less"):
        without = cost.Plan(("function-url",), (), 0, False)
        require(cost.total(cost.lines(without)) < cost.total(cost.lines(plan)), "it does not")
        require(not [line for line in cost.lines(without) if "cloudfront" in line.price], "CloudFront is counted")
    with checks.check("REPORT lines of Lambda"):
        line = (
            "REPORT RequestId: 3f-1\tDuration: 12.34 ms\tBilled Duration: 40 ms\tMemory Size: 512 MB\t"
            "Max Memory Used: 31 MB\t"
            "Init Duration: 25.50 ms\t\n"
        )
        equal("cold", logs.REPORT.search(line).groups(), ("12.34", "40", "512", "31", "25.50"))
        equal("warm", logs.REPORT.search(line.partition("Init")[0]).groups(), ("12.34", "40", "512", "31", None))
    with checks.check("the file has no account, host or password"):
        secrets = report.Secrets(("123456789012", "account"), ("d1.cloudfront.net", "host"), ("", "nothing"))
        equal("text", secrets.without("123456789012 at https://d1.cloudfront.net/"), "<account> at https://<host>/")
    with checks.check("the table wraps its cells"):
        printed = report.table([("short", "word " * 60, "x")], width=90)
        require(max(map(len, printed.splitlines())) <= 90, "a line is too long")
        equal("words", printed.count("word"), 60)
    with checks.check("an observation which was not played is told"):
        told_apart()
    with checks.check("the challenge is found under each header's name"):
        for name in ("WWW-Authenticate", "x-berth-challenge", "x-amzn-Remapped-www-authenticate"):
            with answering(401, {name: 'Bearer realm="http://h/token",service="s"'}) as host:
                equal(name, Registry(host, "u", "p").challenge(), {"realm": "http://h/token", "service": "s"})
    with checks.check("wrong usage is refused"):
        for argv in (
            ["--size", "1000"],
            ["--front", "elb"],
            ["--local", "--assume", "when-busy=perhaps"],
            ["--host", "h"],
            ["--assume", "when-busy=wait"],
        ):
            try:
                arguments.parse(argv)
            except SystemExit as exit:
                equal(" ".join(argv), exit.code, 2)
            else:
                raise AssertionError(f"{argv} was accepted")
    with checks.check("the document names every check and every assumption"):
        text = (ROOT / "docs/aws-verification.md").read_text()
        missing = [name for name in [c.name for c in CHECKS] + list(assumptions.BY_NAME) if f"`{name}`" not in text]
        equal("missing", missing, [])


def decoded(text: str) -> bytes:
    """bcrypt's base64."""
    bits = "".join(f"{bcrypt.ALPHABET.index(letter):06b}" for letter in text)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8))


def covered(front: str, detail: list) -> None:
    """Any three assumptions meet in every combination of their values; the first combination has all defaults."""
    named = combinations.factors(front)
    rows, how = combinations.chosen(front, 64, 3)
    equal("first", rows[0], {name: values[0] for name, values in named.items()})
    for names in itertools.combinations(named, 3):
        seen = {tuple(row[name] for name in names) for row in rows}
        equal(str(names), len(seen), combinations.count({name: named[name] for name in names}))
    everything = combinations.chosen(front, 1 << 20, 3)[0]
    equal("all", len({json.dumps(row) for row in everything}), combinations.count(named))
    detail.append(how)


def told_apart() -> None:
    defaults = {assumption.name: assumption.default for assumption in assumptions.ASSUMPTIONS}

    def wrong(value: str, ok: bool, **played) -> str:
        found = Finding("cloudfront", "edge-put", "?", value, "", "", ok, "viewer-response-runs", "yes")
        return local.wrong(found, {name.replace("_", "-"): text for name, text in played.items()}, defaults)

    equal("as played", wrong("yes", True), "")
    equal("as played, and fails as it must", wrong("no", False, viewer_response_runs="no"), "")
    require("played viewer-response-runs=no" in wrong("yes", True, viewer_response_runs="no"), "another value")
    require("expected to fail" in wrong("no", True, viewer_response_runs="no"), "works in spite of it")
    require("expected to work" in wrong("yes", False), "does not work")
    require(HIDDEN in wrong(HIDDEN, True), "not observed")


class answering:
    """A server on loopback with one answer for everything; its host, as a context."""

    def __init__(self, status: int, headers: dict):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in {**headers, "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
