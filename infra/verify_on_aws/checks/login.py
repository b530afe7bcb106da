"""Who reaches the registry, and how they log in."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile

from ..assumptions import CLOUDFRONT, HTTP_API
from ..findings import Observation
from ..programs import berth
from ..session import Session
from . import check, hidden


@check("reach", "Do AWS's permissions let requests reach the function?")
def reach(session: Session) -> Observation:
    """A function URL without one of its two permissions answers 403 by itself."""
    answer = session.registry.ask("GET", "/v2/")
    if answer.from_registry:
        return Observation("yes", answer.says(), "No change.")
    return Observation(
        "no", answer.says(), "Both permissions of the function URL are needed: see the next row.", ok=False
    )


@check("permissions", "Which permissions does the function have?", local=False)
def permissions(session: Session) -> Observation:
    if session.aws is None:
        return hidden("the local stack has no resource policies")
    policy = session.aws.json("lambda", "get-policy", "--function-name", session.target.function_name)
    actions = sorted({statement["Action"] for statement in json.loads(policy["Policy"])["Statement"]})
    if session.front == HTTP_API:
        wanted = {"lambda:InvokeFunction"}
    else:
        wanted = {"lambda:InvokeFunction", "lambda:InvokeFunctionUrl"}
    lacking = wanted - set(actions)
    consequence = "Deploy with SAM CLI 1.156 or later, which writes both." if lacking else "No change."
    return Observation("missing" if lacking else "all", ", ".join(actions), consequence, ok=not lacking)


@check("password", "Does a login with a user's password work?")
def password(session: Session) -> Observation:
    session.registry.log_in()
    answer = session.registry.ask("GET", "/v2/")
    return Observation("yes" if answer.status == 200 else "no", answer.says(), "No change.", ok=answer.status == 200)


@check("aws-login", "Does `berth login HOST` work, with AWS credentials and STS?", slow=True)
def aws_login(session: Session) -> Observation:
    program = berth()
    if not program:
        return hidden("no berth in PATH, and none built")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **session.target.aws_environment, "DOCKER_CONFIG": folder}
        if session.target.aws_environment:
            environment |= {"HOME": folder}
        done = subprocess.run(
            [program, "login", session.target.host],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
    said = " ".join(done.stdout.split())[-200:]
    if done.returncode == 0:
        return Observation("yes", said, "No change.")
    return Observation(
        "no", said, "Log in with a password or an API key; the function's log has what STS answered.", ok=False
    )


@check("bypass", "Does the function URL refuse requests that did not come through CloudFront?", (CLOUDFRONT,))
def bypass(session: Session) -> Observation:
    if not session.target.function_url:
        return hidden("the function URL is not known")
    answer = session.registry.ask("GET", "/v2/", host=session.target.function_url)
    if answer.status == 403:
        return Observation("yes", answer.says(), "No change.")
    return Observation("no", answer.says(), "Anyone can avoid CloudFront; set http.edge.required to true.", ok=False)
