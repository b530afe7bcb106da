"""Runs against the local stack, in combinations: each observation is what the stack was told to play."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from checking import ROOT, equal, require

SUMMARY = re.compile(r"^(cloudfront|http-api|function-url): (.+); (\d+) not as played; ([\d.]+) s$", re.MULTILINE)


def run(checks, options) -> None:
    from verify_on_aws.assumptions import BY_NAME
    from verify_on_aws.programs import lambda_local

    with checks.check("the local stack plays these assumptions, with these defaults"):
        said = json.loads(subprocess.run([lambda_local(), "--assumptions"], stdout=subprocess.PIPE, check=True).stdout)
        played = {entry["name"]: (entry["values"], entry["default"]) for entry in said}
        equal("assumptions", played, {name: (list(one.values), one.default) for name, one in BY_NAME.items()})
    with tempfile.TemporaryDirectory(prefix="verify-test-") as folder:
        file = Path(folder) / "found.json"
        process = subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "infra/verify-on-aws"),
                "--local",
                "--json",
                str(file),
                "--strength",
                options.strength,
                "--largest",
                options.largest,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for line in process.stderr:
            if line.startswith(("PASS ", "FAIL ")):
                checks.count([line.rstrip()])
        out = process.stdout.read()
        print(out, flush=True)
        with checks.check("every combination is as it was played") as detail:
            equal("exit code", process.wait(), 0)
            summaries = SUMMARY.findall(out)
            equal("front ends", [front for front, *_ in summaries], ["cloudfront", "http-api", "function-url"])
            require(json.loads(file.read_text())["runs"], "the file has no runs")
            detail += [f"{front}: {how}, {seconds} s" for front, how, _, seconds in summaries]
