"""What the parameters add to a deployment: a bucket that is there already, a domain name, alarms, a ceiling."""

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
    with report.around("domain"), stack.deployed(USERS | DOMAIN, zone) as made:
        report.run("domain", {
            "every request goes to the registry, in payload 2.0": lambda: api(made),
            "the name has its certificate and its record": lambda: domain(made),
            "the registry knows its name, and the outputs say it": lambda: named(made),
        })
    with report.around("domain"), stack.deployed(USERS | DOMAIN) as made:
        report.run("domain", {"without a zone no record is made": lambda: no_record(made)})
    with report.around("alarms"), stack.deployed(USERS | {"AlarmTopicArn": TOPIC}) as made:
        report.run("alarms", {"errors and throttles are told to the topic": lambda: alarms(made)})
    with report.around("alarms"), stack.deployed(USERS | DOMAIN | {"AlarmTopicArn": TOPIC}) as made:
        report.run("alarms", {"with a domain name its errors are told too": lambda: domain_alarm(made)})
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


def api(made: Stack) -> None:
    equal("protocol", made.properties("HttpApi")["ProtocolType"], "HTTP")
    require(made.properties("HttpApi")["DisableExecuteApiEndpoint"] is True, "the API has a second name")
    integration = made.properties("HttpApiIntegration")
    equal("calls", integration["IntegrationUri"], made.arn("RegistryFunction"))
    equal("payload", (integration["IntegrationType"], integration["PayloadFormatVersion"]), ("AWS_PROXY", "2.0"))
    route = made.properties("HttpApiRoute")
    equal("route", (route["RouteKey"], route["Target"]), ("$default", f"integrations/{made.name('HttpApiIntegration')}"))
    # Another stage's name would stand before every path.
    equal("stage", made.properties("HttpApiStage")["StageName"], "$default")
    permission = made.properties("HttpApiPermission")
    seen = (permission["Principal"], permission["Action"], permission["SourceArn"])
    source = f"arn:aws:execute-api:{REGION}:{stack.ACCOUNT}:{made.name('HttpApi')}/*"
    equal("permission", seen, ("apigateway.amazonaws.com", "lambda:InvokeFunction", source))


def domain(made: Stack) -> None:
    (configuration,) = made.properties("Domain")["DomainNameConfigurations"]
    equal("certificate", configuration["CertificateArn"], parameters.CERTIFICATE)
    equal("TLS", configuration["SecurityPolicy"], "TLS_1_2")
    client = boto3.client("route53", region_name=REGION)
    zone = made.properties("DomainRecord")["HostedZoneId"]
    records = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    seen = [(r["Name"].rstrip("."), r["AliasTarget"]["DNSName"]) for r in records if r["Type"] == "A"]
    equal("records", seen, [("registry.example.com", made.outputs["DomainTarget"])])


def named(made: Stack) -> None:
    variables = made.properties("RegistryFunction")["Environment"]["Variables"]
    equal("REGISTRY_HTTP_HOST", variables["REGISTRY_HTTP_HOST"], "https://registry.example.com")
    equal("host", made.outputs["RegistryHost"], "registry.example.com")
    equal("login", made.outputs["LoginCommand"], "berth login registry.example.com")
    require(bool(made.outputs["DomainTarget"]), "no output says what the name must point at")


def no_record(made: Stack) -> None:
    equal("records", made.resources("AWS::Route53::"), [])


def alarms(made: Stack) -> None:
    expected = {
        ("RegistryFunction", "Errors"), ("RegistryFunction", "Throttles"), ("RegistryFunction", "Url5xxCount"),
        ("MaintenanceFunction", "Errors"),
    }
    names = {made.name(function): function for function in ("RegistryFunction", "MaintenanceFunction")}
    seen = set()
    for alarm in map(made.properties, made.resources("AWS::CloudWatch::Alarm")):
        (dimension,) = alarm["Dimensions"]
        seen.add((names[dimension["Value"]], alarm["MetricName"]))
        equal("told", alarm["AlarmActions"], [TOPIC])
        equal("without requests", alarm["TreatMissingData"], "notBreaching")
    equal("alarms", seen, expected)


def domain_alarm(made: Stack) -> None:
    alarm = made.properties("DomainServerErrors")
    seen = (alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"], alarm["AlarmActions"])
    equal("alarm", seen, ("AWS/ApiGateway", "5xx", [{"Name": "ApiId", "Value": made.name("HttpApi")}], [TOPIC]))


def asked(made: Stack) -> None:
    function = made.properties("RegistryFunction")
    seen = (function["ReservedConcurrentExecutions"], function["MemorySize"], function["Timeout"], function["Architectures"])
    equal("settings", seen, (0, 1769, 30, ["x86_64"]))
    # Both are one binary.
    equal("the maintenance's processor", made.properties("MaintenanceFunction")["Architectures"], ["x86_64"])
