"""The parameters: what they take, what they refuse, and what `sam deploy --guided` says of each."""

import re
import tempfile

from samcli.cli.types import CfnParameterOverridesType

from report import Failure, equal, require
from resolve import Resolved
from stack import template

HASH = "$2b$05$abcdefghijklmnopqrstuu.abnSPEesfGOHQI9ifaJVIDjeBtOKn2"  # of "a password for tests"
USER = f"berth:{HASH}"
OTHER = "ci-robot:" + HASH.replace("$2b$", "$2y$")
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"

TAKEN = {
    "OidcIssuers": ["", "https://token.actions.githubusercontent.com berth", "https://a.example.com b;https://c.example.com/d e"],
    "Users": ["", USER, f"{USER},{OTHER}", f"{USER}\n{OTHER}\n", f"{USER} {OTHER}", f"{USER}, {OTHER}", f"{USER},"],
    "ExistingBucket": ["", "my-images", "images.example.com", "abc"],
    "RootDirectory": ["", "registry/", "a/b.c/", "team_1/images/", "a+b/c=d/"],
    "SecretVersion": ["1", "2", "100"],
    "ReservedConcurrency": ["-1", "0", "1", "1000"],
    "MaintenanceSchedule": ["rate(1 day)", "rate(12 hours)", "rate(1 minute)", "cron(0 3 * * ? *)", "cron(0/15 8-17 ? * MON-FRI *)"],
    "UploadAge": ["1h", "168h"],
    "AlarmTopicArn": ["", "arn:aws:sns:eu-central-1:123456789012:berth", "arn:aws:sns:us-east-1:123456789012:a_b-c"],
    "DomainName": ["", "registry.example.com", "r.io"],
    "CertificateArn": ["", CERTIFICATE],
    "HostedZoneId": ["", "Z0123456789ABCDEFGHIJ"],
}
REFUSED = {
    "OidcIssuers": ["https://a.example.com", "http://a.example.com b", "a.example.com b", "https://a.example.com b c"],
    # No hash; what a shell leaves of a hash in double quotes; other hashes of htpasswd; a hash cut short.
    "Users": ["berth", "berth:", "berth:secret", "berth:y5", "berth:$apr1$abcdefgh$abcdefghijklmnopqrstuv",
              "berth:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", USER[:-1], f":{HASH}", f"{USER};{OTHER}", f"{USER},other"],
    "ExistingBucket": ["My-Images", "a", "arn:aws:s3:::images", "images/", "images*"],
    # Wildcards would widen the roles.
    "RootDirectory": ["registry", "/registry/", "/", "a//b/", "../", "./", "a*/", "a?/", "${x}/", "a b/", "a" * 64 + "/"],
    "SecretVersion": ["", "0", "1.5", "01", "-1", "two"],
    "ReservedConcurrency": ["", "-2", "1.5", "01", "ten"],
    # Those of EventBridge that look right: it takes no other unit, and has a plural.
    "MaintenanceSchedule": ["", "1 day", "daily", "at(2030-01-01T00:00:00)", "rate(1 days)", "rate(2 day)", "rate(0 days)",
                            "rate(1 week)", "cron(0 3 * * *)", "cron(0 3 * * ? * *)"],
    "UploadAge": ["", "0h", "168", "7d", "-1h", "1.5h"],
    "AlarmTopicArn": ["berth", "arn:aws:sqs:eu-central-1:123456789012:berth", "arn:aws-cn:sns:cn-north-1:123456789012:a"],
    "DomainName": ["https://registry.example.com", "registry", "registry.example.com/", "Registry.example.com", "a..com",
                   "a." * 63 + "com"],
    "CertificateArn": ["certificate", "arn:aws:iam::123456789012:server-certificate/x"],
    "HostedZoneId": ["/hostedzone/Z01", "z01"],
}


def checks() -> dict:
    return {
        "every parameter says what it is, in a group": described,
        "all have a default, which they take": defaults,
        "Users can be answered by Enter, and there are none by default": users,
        "every pattern takes what it should": lambda: patterns(TAKEN, True),
        "every pattern refuses what it should": lambda: patterns(REFUSED, False),
        "a parameter that requires another says so at once": rules,
        "sam reads users as the runbook writes them": ways,
    }


def matches(parameter: dict, value: str) -> bool:
    # CloudFormation matches the whole value.
    within = parameter.get("MinLength", 0) <= len(value) <= parameter.get("MaxLength", 4096)
    return within and re.fullmatch(parameter["AllowedPattern"], value) is not None


def patterns(tables: dict[str, list[str]], taken: bool) -> str:
    parameters = template()["Parameters"]
    with_pattern = sorted(name for name, parameter in parameters.items() if "AllowedPattern" in parameter)
    equal("parameters with a pattern", with_pattern, sorted(tables))
    wrong = [f"{name}: {value!r}" for name, values in tables.items() for value in values
             if matches(parameters[name], value) is not taken]
    if wrong:
        raise Failure(f"{'refused' if taken else 'taken'}: {', '.join(wrong)}")
    return f"{sum(map(len, tables.values()))} values"


def described() -> None:
    source = template()
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    equal("grouped parameters", sorted(grouped), sorted(source["Parameters"]))
    for name, parameter in source["Parameters"].items():
        require(len(parameter.get("Description", "")) >= 30, f"{name} is not described")
        require("AllowedPattern" not in parameter or "ConstraintDescription" in parameter, f"{name} does not say what it takes")


def defaults() -> None:
    for name, parameter in template()["Parameters"].items():
        default = parameter.get("Default")
        require(default is not None, f"{name} has no default")
        if "AllowedValues" in parameter:
            require(default in parameter["AllowedValues"], f"{name} does not allow its default")
        if "AllowedPattern" in parameter:
            require(matches(parameter, default), f"{name} does not match its default")


def users() -> None:
    parameter = template()["Parameters"]["Users"]
    # sam deploy --guided repeats the question for a NoEcho parameter until it has an answer.
    for name, each in template()["Parameters"].items():
        require(not each.get("NoEcho"), f"{name} is NoEcho")
    require("hashes" in parameter["Description"], "it does not say that everyone may read the value")
    equal("Default, whose password strangers could know", parameter.get("Default"), "")


def rules() -> str:
    domain = {"DomainName": "r.example.com"}
    named = domain | {"CertificateArn": "arn"}
    allowed = [{}, named, named | {"Front": "http-api"}, {"Front": "function-url"}, {"CloudFrontDownloads": "true"},
               {"Front": "function-url", "KeepFunctionUrlOpen": "true"}]
    denied = [domain, named | {"Front": "function-url"}, {"CloudFrontDownloads": "true", "Front": "http-api"}]
    for parameters in allowed:
        equal(f"{parameters}", violated(parameters), [])
    for parameters in denied:
        require(bool(violated(parameters)), f"{parameters} is allowed")
    return ", ".join(message for parameters in denied for message in violated(parameters))


def violated(parameters: dict[str, str]) -> list[str]:
    """What CloudFormation would say of them."""
    resolved = Resolved(parameters)
    return [
        assertion["AssertDescription"] for rule in template()["Rules"].values() if resolved.value(rule["RuleCondition"])
        for assertion in rule["Assertions"] if not resolved.value(assertion["Assert"])
    ]


def ways() -> None:
    """A file, a command line, and a line of samconfig.toml: none changes a hash."""
    expected = {"Users": f"{USER},{OTHER}"}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(f"Users:\n  - {USER}\n  - {OTHER}\n")
        file.flush()
        for written in (f"file://{file.name}", f"Users={USER},{OTHER}", f'Users="{USER},{OTHER}"'):
            equal(written.partition(":")[0], CfnParameterOverridesType().convert((written,), None, None), expected)
