"""The command line."""

from __future__ import annotations

import argparse
import re

from .assumptions import BY_NAME, FRONTS
from .checks import CHECKS

EPILOG = """\
Exit codes: 0 everything was checked and deleted; 1 a check failed, a stack could not be deployed, or something is left;
2 wrong usage, a missing program, or no confirmation; 130 interrupted (what was created is deleted first).
docs/aws-verification.md describes the checks, their costs and the permissions that they need."""


def sizes(text: str) -> tuple:
    return tuple(int(float(size)) for size in text.split(",") if size)


def assumption(text: str) -> tuple:
    name, _, value = text.partition("=")
    if name not in BY_NAME or value not in BY_NAME[name].values:
        values = ", ".join(BY_NAME[name].values) if name in BY_NAME else ""
        raise argparse.ArgumentTypeError(f"{text}: expected one of {values or ', '.join(BY_NAME)}")
    return name, value


def run_id(text: str) -> str:
    if not re.fullmatch(r"berth-verify-[0-9a-f]{6}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected the id of a run, such as berth-verify-0a1b2c")
    return text


def part(text: str) -> tuple:
    first, _, parts = text.partition("/")
    if not (first.isdigit() and parts.isdigit() and 1 <= int(first) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text}: expected I/N, such as 1/4")
    return int(first), int(parts)


def names(known, text: str) -> list:
    chosen = text.split(",")
    for name in chosen:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name}: expected one of {', '.join(known)}")
    return chosen


def parse(argv: list) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="verify-on-aws",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Deploy each front end to its own stack, check what AWS does not document, delete everything.",
    )
    checks = [check.name for check in CHECKS]
    parser.add_argument(
        "--front",
        type=lambda text: names(FRONTS, text),
        default=list(FRONTS),
        metavar="FRONT,..",
        help=f"only these: {', '.join(FRONTS)}",
    )
    parser.add_argument(
        "--only",
        type=lambda text: names(checks, text),
        default=checks,
        metavar="CHECK,..",
        help=f"only these: {', '.join(checks)}",
    )
    parser.add_argument(
        "--json", default="verify-on-aws.json", metavar="FILE", help="where the findings go (default: %(default)s)"
    )
    parser.add_argument(
        "--size", type=int, default=5_000_000, metavar="BYTES", help="of a large layer (default: %(default)s)"
    )
    parser.add_argument(
        "--sizes",
        type=sizes,
        default=None,
        metavar="BYTES,..",
        help="of the very large layers pushed through CloudFront; empty: none (default: 1e9,5e9; in a local run none)",
    )
    parser.add_argument(
        "--slow",
        type=float,
        default=None,
        metavar="SECONDS",
        help="that a slow sender takes; 0: skip it (default: 130; in a local run 2)",
    )
    parser.add_argument(
        "--no-clients", dest="clients", action="store_false", help="do not push and pull with the installed clients"
    )
    parser.add_argument(
        "--no-conformance", dest="conformance", action="store_false", help="do not run the conformance program"
    )

    aws = parser.add_argument_group("on AWS")
    aws.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    aws.add_argument("--region", default="", help="default: the AWS CLI's")
    aws.add_argument(
        "--architecture", choices=("arm64", "x86_64"), default="arm64", help="of the function (default: %(default)s)"
    )
    aws.add_argument(
        "--built", metavar="FILE", help="a built template (.aws-sam/build/template.yaml) instead of `sam build`"
    )
    aws.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a further parameter of the template"
    )
    aws.add_argument("--keep", action="store_true", help="delete nothing; --clean-up deletes it later")
    aws.add_argument("--id", type=run_id, metavar="ID", help="the id of this run (default: a new one)")
    aws.add_argument(
        "--clean-up", type=run_id, metavar="ID", help="only delete what an earlier run created; it printed its id"
    )

    existing = parser.add_argument_group(
        "an existing deployment: nothing is created or deleted but blobs of repository verify/checks"
    )
    existing.add_argument("--host", help="check this registry, of the one --front")
    existing.add_argument("--user", default="")
    existing.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    existing.add_argument("--function-url", default="", metavar="HOST", help="the function URL's host")
    existing.add_argument("--bucket", default="", help="its bucket")

    local = parser.add_argument_group("the local stack (lambda-local)")
    local.add_argument(
        "--local", action="store_true", help="check the local stack, in every combination of what it can assume of AWS"
    )
    local.add_argument(
        "--assume",
        action="append",
        type=assumption,
        default=[],
        metavar="NAME=VALUE",
        help="one combination: this value, and the defaults of all others; may be repeated",
    )
    local.add_argument(
        "--largest",
        type=int,
        default=512,
        metavar="N",
        help="run all combinations of a front end if there are at most N (default: %(default)s)",
    )
    local.add_argument(
        "--strength",
        type=int,
        default=3,
        metavar="T",
        help="else so many that any T assumptions meet in every combination of their values (default: %(default)s)",
    )
    local.add_argument(
        "--part", type=part, default=(1, 1), metavar="I/N", help="only every Nth combination, from the Ith on"
    )
    local.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="local stacks at the same time (default: %(default)s)"
    )
    options = parser.parse_args(argv)
    if options.size <= 4 << 20:
        parser.error("--size: up to 4 MiB go through the function; give more")
    if options.host and (len(options.front) != 1 or not options.user or not options.password_stdin):
        parser.error("--host requires one --front, --user and --password-stdin")
    if options.assume and not options.local:
        parser.error("--assume requires --local")
    return options
