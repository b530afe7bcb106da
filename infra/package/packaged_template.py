"""`berth-template.yaml`: template.yaml as plain CloudFormation, with the place of the code as parameters.

SAM's own translator does the translation, so CloudFormation needs no transform (and the stack no
CAPABILITY_AUTO_EXPAND): what was checked before a release is what is deployed. The logical ids are
those of `sam deploy`, so a stack may be updated by either.
"""

import copy
import json
import logging
from pathlib import Path

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from function_zip import name

FILE = "berth-template.yaml"
GROUP = {"Label": {"default": "Where the code is"}, "Parameters": ["CodeBucket", "CodePrefix"]}
PARAMETERS = {
    "CodeBucket": {
        "Type": "String",
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        "ConstraintDescription": "the name of a bucket in the stack's region",
        "Description": "The bucket that holds berth-lambda-*.zip. It must be in the region of the stack.",
    },
    "CodePrefix": {
        "Type": "String",
        "Default": "berth/",
        "AllowedPattern": "^([A-Za-z0-9._-]+/)*$",
        "ConstraintDescription": "folders, each followed by a slash, such as berth/; or nothing",
        "Description": "The folder in CodeBucket above the one that is named after the version.",
    },
}
FUNCTION = "AWS::Serverless::Function"
HEADER = """\
# Berth {version}. Made from template.yaml by `make package`; do not edit.
# The code: s3://CodeBucket/CodePrefix{version}/{names}.
# To deploy it: docs/install.md, "Deploy with the AWS CLI".
"""


def key(version: str) -> dict:
    """The code's key. The version is part of it, because CloudFormation updates a function only when its key changes."""
    return {"Fn::Sub": f"${{CodePrefix}}{version}/{name('${Architecture}')}"}


def pack(source: dict, version: str) -> dict:
    """The packaged template, of template.yaml's content."""
    template = copy.deepcopy(source)
    for resource in template["Resources"].values():
        if resource["Type"] == FUNCTION:
            resource["Properties"]["CodeUri"] = {"Bucket": {"Ref": "CodeBucket"}, "Key": key(version)}
            without_build(resource)
    template["Parameters"] = PARAMETERS | template["Parameters"]
    template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].insert(0, GROUP)
    return translate(template)


def without_build(resource: dict) -> None:
    """Removes what only `sam build` reads."""
    metadata = resource.get("Metadata", {})
    for name in ("BuildMethod", "BuildProperties"):
        metadata.pop(name, None)
    if not metadata:
        resource.pop("Metadata", None)


def translate(template: dict, region: str = "us-east-1", parameters: dict | None = None) -> dict:
    """Plain CloudFormation. It is the same for every region and all parameters, which tests/package checks."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that nobody collects
    session = boto3.Session(region_name=region)
    translated = Translator({}, Parser(), boto_session=session).translate(copy.deepcopy(template), parameters or {})
    return json.loads(json.dumps(translated))  # plain types, without YAML anchors between equal parts


class Dumper(yaml.SafeDumper):
    """Writes text of several lines, such as the code of the CloudFront function, as it is."""

    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, Dumper.represent_text)


def write(source: Path, version: str, to: Path) -> None:
    """Writes the packaged template of the file `source`."""
    packed = pack(yaml.safe_load(source.read_text()), version)
    text = yaml.dump(packed, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    to.write_text(HEADER.format(version=version, names=name("ARCHITECTURE")) + text)
