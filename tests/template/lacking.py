"""Types of resource that moto's CloudFormation lacks, so that a stack with them comes up. moto finds them as subclasses."""

import json
import uuid

from moto.awslambda.utils import get_backend
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition


class _Made:
    """A resource of which nobody asks more than its name and some attributes."""

    def __init__(self, name: str, attributes: dict[str, str] | None = None):
        self.physical_resource_id = name
        self.attributes = attributes or {}

    def get_cfn_attribute(self, name: str) -> str:
        return self.attributes[name]

    def is_created(self) -> bool:
        return True


def _lacking(kind: str, attributes: tuple[str, ...] = (), make=None) -> type[CloudFormationModel]:
    """A class for `kind`. `make` gets the properties, the account and the region, and returns a [`_Made`]."""

    def plain(properties: dict, account: str, region: str) -> _Made:
        name = uuid.uuid4().hex[:10]
        return _Made(name, {attribute: f"{attribute.lower()}-of-{name}" for attribute in attributes})

    def create(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        return (make or plain)(cloudformation_json["Properties"], account_id, region_name)

    return type(kind.replace("::", ""), (CloudFormationModel,), {
        "cloudformation_name_type": staticmethod(lambda: ""),
        "cloudformation_type": staticmethod(lambda: kind),
        "has_cfn_attr": classmethod(lambda cls, attribute: attribute in attributes),
        "create_from_cloudformation_json": classmethod(create),
    })


def _bucket_policy(properties: dict, account: str, region: str) -> _Made:
    bucket = properties["Bucket"]
    policy = properties["PolicyDocument"]
    # AWS::NoValue leaves nothing in a list; moto leaves None.
    statements = [statement for statement in policy["Statement"] if statement]
    document = json.dumps(policy | {"Statement": statements}).encode()
    s3_backends[account][get_partition(region)].put_bucket_policy(bucket, document)
    return _Made(bucket)


def _api(properties: dict, account: str, region: str) -> _Made:
    name = uuid.uuid4().hex[:10]
    return _Made(name, {"ApiEndpoint": f"https://{name}.execute-api.{region}.amazonaws.com"})


def _function_url(properties: dict, account: str, region: str) -> _Made:
    function = properties["TargetFunctionArn"]
    made = get_backend(account, region).create_function_url_config(function, properties)
    # AWS's end in a slash ("AWS::Lambda::Url"), moto's do not.
    return _Made(function, {"FunctionUrl": f"{made.url}/"})


def secrets(properties: dict) -> dict[str, str]:
    """The answer of the function behind ServiceToken: CloudFront sends the newest secret, the registry signs with the older
    key, and both know the secrets of two versions. The download key never changes."""
    version = int(properties["Version"])
    versions = [version - 1, version] if version > 1 else [version]
    return {
        "Anonymous": str("allow anonymous" in properties["Rules"]).lower(),
        "OriginSecret": f"origin-{version}",
        "OriginSecrets": ",".join(f"origin-{number}" for number in reversed(versions)),
        "UploadKeys": ",".join(f"upload-{number}" for number in versions),
        "KeysArn": f"arn:aws:s3:::bucket/berth/edge/uuid/keys-{version}.json",
        "PublicKey": "-----BEGIN PUBLIC KEY-----",
        "PrivateKey": "private",
    }


SECRETS = ("Anonymous", "OriginSecret", "OriginSecrets", "UploadKeys", "KeysArn", "PublicKey", "PrivateKey")

# moto would run the function in a container.
parsing.CustomModel = _lacking("Custom::EdgeSecrets", SECRETS, make=lambda properties, *_: _Made("berth-edge", secrets(properties)))

TYPES = [
    _lacking("AWS::S3::BucketPolicy", make=_bucket_policy),
    _lacking("AWS::Lambda::Url", ("FunctionUrl",), make=_function_url),
    _lacking("AWS::Lambda::EventInvokeConfig"),
    _lacking("AWS::CloudWatch::Alarm"),
    _lacking("AWS::ApiGatewayV2::Api", make=_api, attributes=("ApiEndpoint",)),
    _lacking("AWS::ApiGatewayV2::Integration"),
    _lacking("AWS::ApiGatewayV2::Route"),
    _lacking("AWS::ApiGatewayV2::Stage"),
    _lacking("AWS::ApiGatewayV2::ApiMapping"),
    _lacking("AWS::ApiGatewayV2::DomainName", ("RegionalDomainName", "RegionalHostedZoneId")),
    _lacking("AWS::CloudFront::Distribution", ("DomainName", "Id")),
    _lacking("AWS::CloudFront::Function", ("FunctionARN", "FunctionMetadata.FunctionARN")),
    _lacking("AWS::CloudFront::KeyValueStore", ("Arn", "Id")),
    _lacking("AWS::CloudFront::OriginAccessControl", ("Id",)),
    _lacking("AWS::CloudFront::PublicKey", ("Id",)),
    _lacking("AWS::CloudFront::KeyGroup", ("Id",)),
]
