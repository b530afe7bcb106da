"""The program: one of a run on AWS, the local stack, an existing deployment, or a clean-up."""

from __future__ import annotations

import signal
import sys

from . import arguments, local_runs, report
from .aws import Missing
from .programs import lambda_local
from .session import Limits, Session, Target

INTERRUPTED = 130


def say(line: str) -> None:
    """Progress; the table alone goes to standard output."""
    print(line, file=sys.stderr, flush=True)


def main(argv: list) -> int:
    options = arguments.parse(argv)
    # What unwinds deletes what was created.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        if options.local:
            return on_local_stack(options)
        if options.host:
            return on_existing(options)
        from . import aws_run  # what only AWS needs

        return aws_run.clean_up(options, say) if options.clean_up is not None else aws_run.run(options, say)
    except Missing as missing:
        say(f"verify-on-aws: {missing}")
        return 2
    except KeyboardInterrupt:
        say("verify-on-aws: interrupted")
        return INTERRUPTED


def on_local_stack(options) -> int:
    program = lambda_local()
    if not program:
        say(
            "verify-on-aws: no lambda-local: run `cargo build --profile fast --workspace --bins`, or set "
            "BERTH_LAMBDA_LOCAL"
        )
        return 2
    slow = 2 if options.slow is None else options.slow
    limits = Limits(size=options.size, slow_seconds=slow, sizes=options.sizes or (), burst=2, bisections=4)
    runs, summaries = local_runs.run(program, options, limits, say)
    if options.assume:
        print(report.table(report.rows([found for run in runs for found in run.findings])))
    else:
        print(local_runs.table(runs))
    for front, summary in summaries.items():
        print(f"{front}: {summary['how']}; {summary['wrong']} not as played; {summary['seconds']} s")
    findings = [found for run in runs for found in run.findings]
    report.write(
        options.json,
        report.Secrets(),
        findings if options.assume else [],
        local=summaries,
        runs=[{"front": run.front, "combination": run.combination, "wrong": run.wrong} for run in runs],
    )
    return 1 if any(run.wrong for run in runs) else 0


def on_existing(options) -> int:
    from . import front_checks

    password = sys.stdin.readline().strip()
    target = Target(
        options.front[0],
        options.host,
        options.user,
        password,
        function_url=options.function_url,
        bucket=options.bucket,
        region=options.region or "us-east-1",
    )
    limits = Limits(size=options.size, slow_seconds=options.slow or 0, sizes=options.sizes or ())
    findings: list = []
    front_checks.run(Session(target, limits), options, findings, say)
    print(report.table(report.rows(findings)))
    report.write(
        options.json,
        report.Secrets(
            (password, "password"), *((name, "host") for name in (options.host, options.function_url, options.bucket))
        ),
        findings,
    )
    return 0 if all(found.ok for found in findings) else 1
