"""Deploys the template, as SAM translates it, into moto's CloudFormation, in this process."""

import contextlib
import copy
import functools
import io
import json
import logging
import zipfile
from collections.abc import Callable, Iterator

import boto3
import yaml
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import ResourceMap, clean_json
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

import lacking  # noqa: F401  moto finds its classes by their being there
from tools import ROOT

REGION = "eu-central-1"
NAME = "berth"
CODE = {"Bucket": "code", "Key": "bootstrap.zip"}

logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that nobody collects


def template() -> dict:
    """The template as it is written. It is plain YAML: a tag such as !Ref is an error."""
    return copy.deepcopy(_parsed())


@functools.cache
def _parsed() -> dict:
    return yaml.safe_load((ROOT / "template.yaml").read_text())


class Stack:
    """A deployment that has come up."""

    def __init__(self, resources: ResourceMap, outputs: dict[str, str], stack_id: str):
        self._map = resources
        self.outputs = outputs
        # The last part of the stack's ARN.
        self.uuid = stack_id.split("/")[2]

    def type(self, logical: str) -> str:
        return self._map._resource_json_map[logical]["Type"]

    def resources(self, kind: str = "") -> list[str]:
        """The logical ids of what was made, of a type that begins with `kind`."""
        ids = self._map._resource_json_map
        return [i for i in ids if self.type(i).startswith(kind) and self.made(i)]

    def made(self, logical: str) -> bool:
        condition = self._map._resource_json_map[logical].get("Condition")
        return not condition or self._map.lazy_condition_map[condition]

    def name(self, logical: str) -> str:
        """The physical id."""
        return self._map[logical].physical_resource_id

    def arn(self, logical: str) -> str:
        return self.attribute(logical, "Arn")

    def attribute(self, logical: str, attribute: str) -> str:
        """An attribute, as Fn::GetAtt has it."""
        return clean_json({"Fn::GetAtt": [logical, attribute]}, self._map)

    def written(self, logical: str) -> dict:
        """The resource as the translated template has it."""
        return self._map._resource_json_map[logical]

    def properties(self, logical: str) -> dict:
        """The resource's properties, with every intrinsic resolved: what CloudFormation asks of the service."""
        return clean_json(copy.deepcopy(self.written(logical).get("Properties", {})), self._map)


@contextlib.contextmanager
def deployed(parameters: dict[str, str], prepare: Callable[[], dict[str, str]] = dict) -> Iterator[Stack]:
    """Yields the stack of `parameters` in an account of its own. `prepare` makes what is there before it, and returns
    more parameters."""
    with mock_aws():
        make_bucket(CODE["Bucket"])
        boto3.client("s3", region_name=REGION).put_object(**CODE, Body=_code())
        parameters = parameters | prepare()
        client = boto3.client("cloudformation", region_name=REGION)
        client.create_stack(
            StackName=NAME,
            TemplateBody=json.dumps(translated(parameters)),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        (parsed,) = cloudformation_backends[ACCOUNT][REGION].stacks.values()
        described = client.describe_stacks(StackName=NAME)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        yield Stack(parsed.resource_map, outputs, described["StackId"])


def make_bucket(name: str) -> None:
    client = boto3.client("s3", region_name=REGION)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


def translated(parameters: dict[str, str]) -> dict:
    """Plain CloudFormation: what the transform makes of the template after `sam package` has uploaded the code."""
    source = template()
    for resource in source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = dict(CODE)
    return Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION)).translate(source, parameters)


def _code() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("bootstrap", "")
    return archive.getvalue()
