"""What AWS's own linters report: of the template, of every variant of it, and of its translation in every region."""

import collections
import hashlib
import json
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from cfnlint.helpers import REGIONS
from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as SCHEMAS

import stack
import tools
from parameters import CERTIFICATE, USER
from report import Failure, Report, equal, require

HOME = "us-east-1"
# Of other partitions. CloudFront is missing there, or is another one.
ELSEWHERE = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")
# The schemas have the type there, but "Creating and managing Lambda function URLs" lists it as a region without.
DOUBTFUL = ("eu-south-2",)
RUNBOOK = tools.ROOT / "infra" / "runbook.md"

FRONTS = ("cloudfront", "http-api", "function-url")
DOMAIN = {"DomainName": "registry.example.com", "CertificateArn": CERTIFICATE}
# Each is tried with every front end that allows it.
SETTINGS = {
    "": {},
    "domain": DOMAIN,
    "zone": DOMAIN | {"HostedZoneId": "Z0123456789"},
    "bucket": {"ExistingBucket": "images", "RootDirectory": "registry/"},
    "downloads": {"CloudFrontDownloads": "true"},
    "alarms": {"AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:berth"},
    "open": {"KeepFunctionUrlOpen": "true"},
    "users": {"Users": USER, "Rules": "allow user:berth to pull on **", "ReservedConcurrency": "5"},
}
ONLY = {"domain": ("cloudfront", "http-api"), "zone": ("cloudfront", "http-api"), "downloads": ("cloudfront",)}


def run(report: Report) -> None:
    report.run("lint", {
        "cfn-lint reports nothing, informational rules included": lambda: cfn_lint(tools.ROOT / "template.yaml"),
        "the runbook lists the regions that have every type of resource": regions,
        "in each of them cfn-lint reports nothing of the translation": translation,
        "cfn-lint and sam validate --lint report nothing of any variant": variants,
    })


def variants_of(fronts=FRONTS) -> dict[str, dict[str, str]]:
    """The parameters of each variant, by a name for it."""
    return {
        f"{front} {name}".strip(): {"Front": front} | settings
        for front in fronts for name, settings in SETTINGS.items() if front in ONLY.get(name, FRONTS)
    }


def cfn_lint(*files: Path, regions: tuple[str, ...] = (HOME,)) -> str:
    said = tools.call("cfn-lint", "--regions", *regions, "--include-checks", "I", "--", *map(str, files))
    require(said.returncode == 0, said.stdout)
    return ", ".join(regions)


def written(folder: str, name: str, parameters: dict[str, str]) -> Path:
    """The template with `parameters` as its defaults, and with no other values allowed: linters follow its conditions."""
    source = stack.template()
    for parameter, value in parameters.items():
        source["Parameters"][parameter] |= {"Default": value, "AllowedValues": [value]}
    # One variant reaches only one branch of each Fn::If.
    source["Metadata"]["cfn-lint"] = {"config": {"ignore_checks": ["W1028"]}}
    file = Path(folder, f"{name.replace(' ', '-')}.yaml")
    file.write_text(yaml.safe_dump(source, sort_keys=False))
    return file


def variants() -> str:
    from click.testing import CliRunner
    from samcli.cli.main import cli

    # Each takes seconds for a variant: cfn-lint in a process of its own, beside SAM in this one.
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside:
        files = [written(folder, name, parameters) for name, parameters in variants_of().items()]
        linted = beside.submit(cfn_lint, *files)
        os.environ.update(SAM_CLI_TELEMETRY="0")
        for file in files:
            said = CliRunner().invoke(cli, ["validate", "--lint", "--region", HOME, "--template-file", str(file)])
            require(said.exit_code == 0, f"{file.name}: {said.output}")
        linted.result()
    return f"{len(files)} variants"


def types() -> list[str]:
    """Of the translated template: conditions do not keep CloudFormation from looking at a type."""
    resources = stack.translated({})["Resources"].values()
    return sorted({resource["Type"] for resource in resources if not resource["Type"].startswith("Custom::")})


def regions() -> str:
    needed, lacking = types(), collections.defaultdict(list)
    for region in REGIONS:
        for kind in needed:
            try:
                SCHEMAS.get_resource_schema(region, kind)
            except ResourceNotFoundError:
                lacking[region].append(kind)
    whole = sorted(r for r in REGIONS if r not in lacking and not r.startswith(ELSEWHERE) and r not in DOUBTFUL)
    equal("regions", supported(), whole)
    return f"{len(whole)} of {len(REGIONS)}"


def supported() -> list[str]:
    """The regions of the runbook's paragraph "Supported regions"."""
    paragraph = re.search(r"Supported regions: (.*?)\n\n", RUNBOOK.read_text(), re.DOTALL)
    if not paragraph:
        raise Failure("infra/runbook.md has no paragraph that begins with Supported regions:")
    return sorted(re.findall(r"`([a-z]{2}-[a-z]+-[0-9])`", paragraph[1]))


def translation() -> str:
    """Regions whose schemas of the template's types are the same are linted once: a region takes seconds."""
    needed, alike = types(), collections.defaultdict(list)
    for region in supported():
        schemas = [SCHEMAS.get_resource_schema(region, kind).schema for kind in needed]
        alike[hashlib.sha256(json.dumps(schemas, sort_keys=True).encode()).hexdigest()].append(region)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "translated.json")
        file.write_text(json.dumps(stack.translated({})))
        representatives = tuple(group[0] for group in alike.values())
        cfn_lint(file, regions=representatives)
    return f"{len(supported())} regions, as {', '.join(representatives)}"
