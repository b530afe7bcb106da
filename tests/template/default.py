"""Deployments with users and rules for them, by the default front end; and one without any parameter."""

import json

import boto3

import functions
import parameters
import roles
import stack
import storage
from report import Report, equal, require
from stack import REGION, Stack
from tools import RESULTS

USERS = {
    "Users": f"{parameters.USER},{parameters.OTHER}",
    "Rules": "allow user:berth to pull, push, delete, catalog on **; allow user:ci-robot to pull, push on ci/**",
}
FUNCTIONS = {"RegistryFunction": "RegistryRole", "MaintenanceFunction": "MaintenanceRole"}
# Types without a fixed monthly price: each is paid by use.
UNPRICED = {
    "AWS::IAM::Role", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup",
    "AWS::Lambda::Function", "AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig",
    "AWS::Events::Rule", "AWS::CloudFront::Distribution",
    "AWS::CloudFront::Function", "AWS::CloudFront::KeyValueStore", "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::PublicKey", "AWS::CloudFront::KeyGroup", "Custom::EdgeSecrets",
    # By the request ("Amazon API Gateway pricing").
    "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage",
}


def run(report: Report) -> None:
    with report.around("default"), stack.deployed(USERS) as made:
        report.run("default", {
            "nothing has a fixed monthly price": lambda: nothing_priced(made),
            "the outputs name everything, and a first session": lambda: outputs(made),
        })
        report.run("functions", functions.checks(made, environments(made)))
        report.run("storage", storage.checks(made))
        report.run("roles", roles.checks(made, f"arn:aws:s3:::{made.name('Bucket')}", ""))
    # Without CloudFront, for which the local Lambda needs the template itself.
    with report.around("default"), stack.deployed(USERS | {"Front": "http-api"}) as made:
        report.run("default", {"deployment.json says how to start the functions": lambda: write(made)})
    with report.around("default"), stack.deployed({}) as made:
        report.run("default", {"without parameters, the account's own people are let in, and nobody else": lambda: own(made)})


def environments(made: Stack) -> dict[str, dict[str, str]]:
    both = {
        "REGISTRY_STORAGE_S3_BUCKET": made.name("Bucket"),
        "REGISTRY_STORAGE_S3_ROOTDIRECTORY": "",
        "REGISTRY_LOG_LEVEL": "info",
        "REGISTRY_LOG_FORMATTER": "json",
    }
    return {
        "RegistryFunction": both | {
            "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR": "dynamodb",
            "REGISTRY_STORAGE_CACHE_REMEMBERACCESS": "false",
            "REGISTRY_DYNAMODB_TABLE": made.name("Table"),
            "REGISTRY_STORAGE_DELETE_ENABLED": "true",
            "REGISTRY_AUTH_BERTH_AWS": "true",
            "REGISTRY_AUTH_BERTH_OIDC": "",
            "REGISTRY_AUTH_BERTH_KEYS": "true",
            "REGISTRY_AUTH_HTPASSWD_USERS": USERS["Users"],
            "REGISTRY_AUTH_RULES": USERS["Rules"],
            "REGISTRY_HTTP_EDGE_ORIGINSECRET": "origin-1",
            "REGISTRY_HTTP_EDGE_UPLOADKEY": "upload-1",
        },
        "MaintenanceFunction": both | {"REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE": "168h"},
    }


def own(made: Stack) -> None:
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    expected = {
        "REGISTRY_AUTH_BERTH_AWS": "true",
        "REGISTRY_AUTH_BERTH_OIDC": "",
        "REGISTRY_AUTH_BERTH_KEYS": "true",
        "REGISTRY_AUTH_HTPASSWD_USERS": "",
        "REGISTRY_AUTH_RULES": f"allow account:{stack.ACCOUNT} to pull, push, delete, catalog on **",
    }
    equal("who is let in", {name: value for name, value in variables.items() if "_AUTH_" in name}, expected)


def write(made: Stack) -> str:
    """Leaves what the local stack starts the functions with: as Lambda has it, with the policies of their roles."""

    def function(name: str, role: str) -> dict:
        properties = functions.deployed(made, name)
        return {
            "handler": properties["Handler"],
            "timeout_seconds": properties["Timeout"],
            "memory_mb": properties["MemorySize"],
            "environment": properties["Environment"]["Variables"],
            "policy": roles.policy(made, role),
        }

    deployment = {
        "region": REGION,
        "account": stack.ACCOUNT,
        "bucket": made.name("Bucket"),
        "table": made.name("Table"),
        "functions": {name: function(name, role) for name, role in FUNCTIONS.items()},
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / "deployment.json"
    file.write_text(json.dumps(deployment, indent=2) + "\n")
    return str(file)


def nothing_priced(made: Stack) -> None:
    """Nothing in a default deployment has a fixed monthly price."""
    equal("other resources", sorted({made.type(r) for r in made.resources()} - UNPRICED), [])
    with_price = ("ProvisionedConcurrencyConfig", "VpcConfig", "KmsKeyArn", "SnapStart")
    for function in ("RegistryFunction", "MaintenanceFunction"):
        require(not set(with_price) & made.properties(function).keys(), f"{function} has one of {with_price}")


def outputs(made: Stack) -> str:
    """What a user needs, in the form in which it is used."""
    url = boto3.client("lambda", region_name=REGION).get_function_url_config(FunctionName=made.name("RegistryFunction"))
    host = made.attribute("EdgeDistribution", "DomainName")
    equal("outputs", made.outputs, session(host) | {
        "FunctionUrlHost": url["FunctionUrl"].removeprefix("https://").rstrip("/"),
        "CloudFrontFunctionLogGroup": f"/aws/cloudfront/function/{made.properties('EdgeFunction')['Name']}",
        "BucketName": made.name("Bucket"),
        "TableName": made.name("Table"),
        "RegistryFunctionName": made.name("RegistryFunction"),
        "MaintenanceFunctionName": made.name("MaintenanceFunction"),
        "RegistryLogGroup": made.name("RegistryLogs"),
        "MaintenanceLogGroup": made.name("MaintenanceLogs"),
    })
    return host


def session(host: str, front: str = "cloudfront") -> dict[str, str]:
    """The outputs for a first session. Clients that speak to a function URL: crane, cosign and berth."""
    image = f"{host}/alpine:latest"
    pull = f"docker pull {image}" if front != "function-url" else (
        f"berth pull {image} alpine.tar && docker load --input alpine.tar"
    )
    return {
        "RegistryHost": host,
        "LoginCommand": f"berth login {host}",
        "PushCommand": f"docker pull alpine && docker save alpine | berth push - {image}",
        "PullCommand": pull,
    }


def has_session(made: Stack, host: str, front: str = "cloudfront") -> str:
    expected = session(host, front)
    equal("first session", {name: made.outputs.get(name) for name in expected}, expected)
    return host
