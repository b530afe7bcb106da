"""A run on AWS, from its plan to the deletion of everything that it created."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import tempfile
import time
import traceback

from . import clients, conformance, cost, front_checks, report
from .assumptions import CLOUDFRONT
from .aws import Aws, CommandFailed, Missing, Sam, configured_region
from .cleanup import Cleanup
from .deployment import Deployer, DeploymentFailed
from .findings import Finding
from .programs import ROOT
from .session import Limits, Session

SIZES = (1_000_000_000, 5_000_000_000)
UNWINDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEPLOYED = "Can this front end be deployed?"
VERIFY_ACCOUNT = (
    "AWS has to verify the account before it may use CloudFront: ask AWS Support. Until then deploy Front=http-api, "
    "with `berth push` for layers above 4 MiB."
)


def plan(options) -> cost.Plan:
    sizes = SIZES if options.sizes is None else options.sizes
    return cost.Plan(
        fronts=tuple(options.front),
        sizes=sizes if CLOUDFRONT in options.front and "sizes" in options.only else (),
        clients=len(clients.installed()) if options.clients else 0,
        conformance=options.conformance and conformance.installed(),
    )


def print_plan(planned: cost.Plan, account: str, arn: str, region: str, run_id: str) -> None:
    priced = cost.lines(planned)
    print(f"Account {account}, region {region}, as {arn}.")
    stacks = ", ".join(f"{run_id}-{front}" for front in planned.fronts)
    print(f"Creates and deletes: stacks {stacks}; bucket {run_id}-artifacts.")
    sizes = ", ".join(f"{size / 1e9:g} GB" for size in planned.sizes) or "none"
    program = "yes" if planned.conformance else "no"
    print(f"Very large layers: {sizes}. Clients: {planned.clients}. Conformance program: {program}.")
    for line in sorted(priced, key=lambda line: -line.dollars):
        if line.dollars >= 0.0005:
            print(f"  {line.price:22} {line.amount:>12,.2f}   ${line.dollars:.3f}   per {line.unit}")
    print(f"Expected cost: ${cost.total(priced) + 0.005:.2f}, free tiers not counted (infra/prices.json).")


def confirmed(options) -> bool:
    if options.yes:
        return True
    print("Continue? [y/N] ", end="", flush=True)
    answer = sys.stdin.readline()
    return answer.strip().lower() in ("y", "yes")


def run(options, say) -> int:
    region = options.region or Aws() and configured_region()
    if not region:
        raise Missing("no AWS region: give --region, or set AWS_REGION")
    aws = Aws(region)
    try:
        account, arn = aws.caller()
    except CommandFailed as failed:
        raise Missing(f"no AWS credentials: {failed.said[-200:]}") from failed
    run_id = options.id or f"berth-verify-{secrets.token_hex(3)}"
    planned = plan(options)
    print_plan(planned, account, arn, region, run_id)
    if not confirmed(options):
        say("verify-on-aws: not confirmed; nothing was created")
        return 2
    password, findings, hosts, interrupted = secrets.token_urlsafe(24), [], [], False
    with tempfile.TemporaryDirectory(prefix="verify-on-aws-") as folder:
        deployer = Deployer(
            aws,
            Sam(region, folder),
            account,
            run_id,
            password,
            options.architecture,
            dict(text.split("=", 1) for text in options.parameter),
        )
        say(f"id of this run: {run_id}")
        try:
            check_fronts(deployer, planned, options, findings, hosts, say)
        except CommandFailed as failed:
            findings.append(
                Finding(
                    "all",
                    "build",
                    "Can the function be built, and its code be uploaded?",
                    "no",
                    str(failed),
                    "See the message.",
                    False,
                )
            )
            say(f"verify-on-aws: {failed}")
        except Exception as failed:  # a fault of this program must not cost what was found, nor leave what was created
            traceback.print_exc()
            findings.append(
                Finding("all", "program", "Did the program itself work?", "no", repr(failed), "Report it.", False)
            )
        except (KeyboardInterrupt, SystemExit):
            say("verify-on-aws: interrupted; deleting what was created")
            interrupted = True
        finally:
            left = [] if options.keep else delete(Cleanup(aws, run_id, say, planned.fronts), say)
    print(report.table(report.rows(findings)))
    if options.keep:
        print(f"Kept. Delete everything: infra/verify-on-aws --clean-up {run_id} --region {region}")
    print_left(left)
    secret = report.Secrets(
        (password, "password"), (account, "account"), (arn, "caller"), *((host, "host") for host in hosts)
    )
    report.write(
        options.json,
        secret,
        findings,
        region=region,
        fronts=list(planned.fronts),
        interrupted=interrupted,
        cost={"dollars": round(cost.total(cost.lines(planned)), 3)},
        left=[entry.what for entry in left],
    )
    print(f"Findings: {options.json}")
    if interrupted:
        return 130
    return 1 if left or not findings or not all(found.ok for found in findings) else 0


def check_fronts(deployer: Deployer, planned: cost.Plan, options, findings: list, hosts: list, say) -> None:
    """Appends findings, and the names of hosts that no file should have."""
    if options.built:
        deployer.built = options.built
    else:
        say("building")
        deployer.build(str(ROOT / "template.yaml"))
    deployer.make_artifacts_bucket()
    for front in planned.fronts:
        say(f"deploying {front}" + (", which takes about 10 minutes" if front == CLOUDFRONT else ""))
        began = time.monotonic()
        try:
            target = deployer.deploy(front)
        except DeploymentFailed as failed:
            told = (
                VERIFY_ACCOUNT
                if failed.unverified
                else "See the stack's events; a missing permission is listed in docs/aws-verification.md."
            )
            findings.append(
                Finding(
                    front,
                    "deployment",
                    DEPLOYED,
                    "account not verified" if failed.unverified else "no",
                    str(failed),
                    told,
                    False,
                )
            )
            say(f"[{front}] not deployed: {failed}")
            continue
        findings.append(
            Finding(front, "deployment", DEPLOYED, "yes", f"in {time.monotonic() - began:.0f} s", "No change.", True)
        )
        target.s3 = os.environ.get("AWS_ENDPOINT_URL_S3", "")  # as the AWS CLI itself has it
        hosts += [host for host in (target.host, target.function_url, target.bucket) if host]
        limits = Limits(
            size=options.size, slow_seconds=130 if options.slow is None else options.slow, sizes=planned.sizes
        )
        session = Session(target, limits, credentials=deployer.aws.credentials, aws=deployer.aws)
        front_checks.run(session, options, findings, say)


def delete(cleanup: Cleanup, say) -> list:
    """Deletes. The first ctrl-C, SIGTERM or SIGHUP meanwhile is only answered, the second ends it."""
    pressed = []

    def interrupt(*_) -> None:
        pressed.append(True)
        if len(pressed) > 1:
            raise KeyboardInterrupt
        say("verify-on-aws: still deleting; press ctrl-C again to leave the rest, which costs money")

    before = {number: signal.signal(number, interrupt) for number in UNWINDING}
    try:
        return cleanup.everything()
    except KeyboardInterrupt:
        say(
            "verify-on-aws: to delete the rest, run: "
            f"infra/verify-on-aws --clean-up {cleanup.run_id} --region {cleanup.aws.region}"
        )
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def print_left(left: list) -> None:
    for entry in left:
        print(f"LEFT {entry.what}: {entry.reason}\n  {entry.command}")
    if not left:
        print("Nothing is left.")


def clean_up(options, say) -> int:
    region = options.region or Aws() and configured_region()
    if not region:
        raise Missing("no AWS region: give --region, or set AWS_REGION")
    left = delete(Cleanup(Aws(region), options.clean_up, say), say)
    print_left(left)
    return 1 if left else 0
