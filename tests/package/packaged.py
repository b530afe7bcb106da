"""`berth-template.yaml`: plain CloudFormation that deploys what `sam deploy` would."""

import copy
import tempfile
from pathlib import Path

import yaml

import packaged_template
import stack
import tools
from report import Report, equal, require

VERSION = "v1.2.3"
KEY = f"${{CodePrefix}}{VERSION}/berth-lambda-${{Architecture}}.zip"
CODE = {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Fn::Sub": KEY}}
# One of each partition.
REGIONS = ("us-east-1", "cn-north-1", "us-gov-west-1")
# "Acknowledging IAM resources in CloudFormation templates": with a name of one's own they need another capability.
NAMED = ("RoleName", "PolicyName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName")
# "CloudFormation quotas", template body in an object.
LARGEST = 1024 * 1024


def run(report: Report) -> None:
    with report.around("template"), tempfile.TemporaryDirectory(prefix="berth-") as folder:
        file = Path(folder) / packaged_template.FILE
        packaged_template.write(tools.ROOT / "template.yaml", VERSION, file)
        packed = yaml.safe_load(file.read_text())
        report.run("template", {
            "the file says what was packed": lambda: written(packed),
            "cfn-lint has nothing to say": lambda: cfn_lint(file),
            "CAPABILITY_IAM is all that it needs": lambda: capabilities(packed),
            "every function's code is where the parameters say": lambda: code(packed),
            "everything else is what sam deploys": lambda: same(packed),
            "it is the same for every region and all parameters": independent,
            "the version is part of the key, so that an upgrade updates the functions": upgrade,
        })


def written(packed: dict) -> None:
    require(packed == packaged_template.pack(stack.template(), VERSION), "YAML reads something else than was written")


def cfn_lint(file: Path) -> str:
    said = tools.call("cfn-lint", "--regions", "us-east-1", "eu-central-1", "--", str(file))
    require(said.returncode == 0, said.stdout)
    size = file.stat().st_size
    require(size < LARGEST, f"{size} bytes")
    return f"{size} bytes"


def capabilities(packed: dict) -> None:
    require("Transform" not in packed, "it needs a transform, and so CAPABILITY_AUTO_EXPAND")
    for name, resource in packed["Resources"].items():
        require(not resource["Type"].startswith("AWS::Serverless"), f"{name} is SAM's")
        if resource["Type"].startswith("AWS::IAM::"):
            named = set(resource["Properties"]) & set(NAMED)
            require(not named, f"{name} has {named}, and so needs CAPABILITY_NAMED_IAM")


def functions(template: dict) -> dict[str, dict]:
    return {name: r for name, r in template["Resources"].items() if r["Type"] == "AWS::Lambda::Function"}


def code(packed: dict) -> str:
    written = {name for name, r in stack.template()["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}
    equal("functions", set(functions(packed)), written)
    for name, function in functions(packed).items():
        equal(f"code of {name}", function["Properties"]["Code"], CODE)
        equal(f"processor of {name}", function["Properties"]["Architectures"], [{"Ref": "Architecture"}])
    equal("CodeBucket has no default", packed["Parameters"]["CodeBucket"].get("Default"), None)
    return ", ".join(written)


def same(packed: dict) -> str:
    """The logical ids too, so that either may update the other's stack."""
    by_sam = packaged_template.translate(uploaded())
    equal("logical ids", sorted(packed["Resources"]), sorted(by_sam["Resources"]))
    for name, resource in by_sam["Resources"].items():
        here = copy.deepcopy(packed["Resources"][name])
        packaged_template.without_build(resource)
        if name in functions(packed):
            del resource["Properties"]["Code"], here["Properties"]["Code"]
        require(here == resource, f"{name} differs: {here}")
    for section in ("Conditions", "Rules", "Mappings", "Outputs", "Description"):
        require(packed.get(section) == by_sam.get(section), f"{section} differ")
    more = {"CodeBucket", "CodePrefix"}
    equal("parameters", {n: p for n, p in packed["Parameters"].items() if n not in more}, by_sam["Parameters"])
    groups = packed["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    equal("grouped", sorted(name for group in groups for name in group["Parameters"]), sorted(packed["Parameters"]))
    return f"{len(packed['Resources'])} resources"


def uploaded() -> dict:
    """template.yaml after `sam package` has uploaded the code."""
    source = stack.template()
    for resource in source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = dict(stack.CODE)
    return source


def independent() -> str:
    """Else the translation would be right for the machine that made it, and nowhere else."""
    source = uploaded()
    first = packaged_template.translate(source)
    for region in REGIONS:
        for parameters in ({}, {name: f"value of {name}" for name in source["Parameters"]}):
            other = packaged_template.translate(source, region, parameters)
            require(other == first, f"the translation for {region} is another")
    return ", ".join(REGIONS)


def upgrade() -> None:
    later = functions(packaged_template.pack(stack.template(), "v1.2.4"))
    for name, function in functions(packaged_template.pack(stack.template(), VERSION)).items():
        require(function != later[name], f"{name} would not be updated")
