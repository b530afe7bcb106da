"""What parameters change in a deployment: an existing bucket, alarms, a reserved concurrency."""

import boto3

import parameters
import roles
import stack
from report import Report, equal, require
from stack import REGION, Stack

USERS = {"Users": f"{parameters.USER},{parameters.OTHER}"}
TOPIC = f"arn:aws:sns:{REGION}:{stack.ACCOUNT}:berth"
DOMAIN = {"DomainName": "registry.example.com", "CertificateArn": parameters.CERTIFICATE}


def run(report: Report) -> None:
    with report.around("existing"), stack.deployed(USERS, there_already) as made:
        report.run("existing", {
            "no bucket is made, and the one there is left as it is": lambda: left_alone(made),
            "both functions use it, below the root directory": lambda: used(made),
            "the output names it": lambda: equal("output", made.outputs["BucketName"], "old-images"),
        } | roles.checks(made, "arn:aws:s3:::old-images", "team/registry/"))
    with report.around("alarms"), stack.deployed(USERS | {"AlarmTopicArn": TOPIC}) as made:
        report.run("alarms", {"errors and throttles notify the topic": lambda: alarms(made, url=True)})
    with report.around("alarms"), stack.deployed(USERS | {"Front": "http-api", "AlarmTopicArn": TOPIC}) as made:
        report.run("alarms", {"with an HTTP API its errors do, too": lambda: alarms(made, url=False)})
    settings = {"ReservedConcurrency": "0", "Architecture": "x86_64", "MemorySize": "1769", "Timeout": "30"}
    with report.around("settings"), stack.deployed(USERS | settings) as made:
        report.run("settings", {"the registry has what was asked for": lambda: asked(made)})


def there_already() -> dict[str, str]:
    stack.make_bucket("old-images")
    return {"ExistingBucket": "old-images", "RootDirectory": "team/registry/"}


def zone() -> dict[str, str]:
    client = boto3.client("route53", region_name=REGION)
    made = client.create_hosted_zone(Name="example.com", CallerReference="once")
    return {"HostedZoneId": made["HostedZone"]["Id"].removeprefix("/hostedzone/")}


def left_alone(made: Stack) -> None:
    equal("buckets made", made.resources("AWS::S3::"), [])
    require("BucketPolicy" not in made.resources(), "a policy is imposed on the bucket")


def used(made: Stack) -> None:
    for function in ("RegistryFunction", "MaintenanceFunction"):
        variables = made.properties(function)["Environment"]["Variables"]
        seen = (variables["REGISTRY_STORAGE_S3_BUCKET"], variables["REGISTRY_STORAGE_S3_ROOTDIRECTORY"])
        equal(function, seen, ("old-images", "team/registry/"))


def records(made: Stack) -> list[tuple[str, str, str]]:
    """Type, name and target of each record of the stack's zone."""
    zone = made.properties("DomainRecord")["HostedZoneId"]
    found = boto3.client("route53", region_name=REGION).list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return sorted((r["Type"], r["Name"].rstrip("."), r["AliasTarget"]["DNSName"]) for r in found if "AliasTarget" in r)


def alarms(made: Stack, url: bool) -> None:
    functions = {made.name(function): function for function in ("RegistryFunction", "MaintenanceFunction")}
    expected = {("RegistryFunction", "Errors"), ("RegistryFunction", "Throttles"), ("MaintenanceFunction", "Errors")}
    if url:
        expected.add(("RegistryFunction", "Url5xxCount"))
    else:
        functions[made.name("HttpApi")] = "HttpApi"
        expected.add(("HttpApi", "5xx"))
    seen = set()
    for alarm in map(made.properties, made.resources("AWS::CloudWatch::Alarm")):
        (dimension,) = alarm["Dimensions"]
        seen.add((functions[dimension["Value"]], alarm["MetricName"]))
        equal("dimension", (alarm["Namespace"], dimension["Name"]),
              ("AWS/ApiGateway", "ApiId") if alarm["MetricName"] == "5xx" else ("AWS/Lambda", "FunctionName"))
        equal("notifies", alarm["AlarmActions"], [TOPIC])
        equal("without requests", alarm["TreatMissingData"], "notBreaching")
    equal("alarms", seen, expected)


def asked(made: Stack) -> None:
    function = made.properties("RegistryFunction")
    seen = (function["ReservedConcurrentExecutions"], function["MemorySize"], function["Timeout"], function["Architectures"])
    equal("settings", (int(seen[0]), *seen[1:]), (0, 1769, 30, ["x86_64"]))
    # Both are one binary.
    equal("the maintenance's processor", made.properties("MaintenanceFunction")["Architectures"], ["x86_64"])
