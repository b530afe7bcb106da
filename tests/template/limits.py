"""A limit of AWS that a deployment would meet late: the size of a function's variables."""

import json

import stack
from report import Report, require
from resolve import Resolved

# "Lambda quotas": 4 KB for all variables of a function. Lambda measures them as JSON, as its error message shows.
VARIABLES = 4096
# For quotation marks and letters outside ASCII, which take more than one byte.
SPARE = 64

# The longest values that the stack itself makes. Secrets are 32 bytes in base64url, and two of each; the private key is
# PKCS#8 of P-256 in base64.
PHYSICAL = {"Bucket": "b" * 63, "Table": "t" * 128, "DownloadKey": "K" * 14}
SECRETS = {
    ("EdgeSecrets", "OriginSecrets"): ",".join(["s" * 43] * 2),
    ("EdgeSecrets", "UploadKeys"): ",".join(["s" * 43] * 2),
    ("EdgeSecrets", "PrivateKey"): "s" * 188,
}
# Parameters whose pattern limits them, and their longest value.
PATTERNS = {"ExistingBucket": "b" * 63, "UploadAge": "99999h"}


def run(report: Report) -> None:
    report.run("limits", {
        "each parameter among the variables has a limit": limited,
        "the longest values of all of them fit": variables,
    })


def longest(name: str, parameter: dict) -> str | None:
    if "AllowedValues" in parameter:
        return max(map(str, parameter["AllowedValues"]), key=len)
    return "x" * parameter["MaxLength"] if "MaxLength" in parameter else PATTERNS.get(name)


def functions() -> list[str]:
    return [name for name, r in stack.template()["Resources"].items() if r["Type"] == "AWS::Serverless::Function"]


def limited() -> None:
    source = stack.template()
    for function in functions():
        written = source["Resources"][function]["Properties"]["Environment"]["Variables"]
        for name in set(Resolved({})._names(written)) & source["Parameters"].keys():
            require(longest(name, source["Parameters"][name]) is not None, f"{name}, of {function}, has no MaxLength")


def variables() -> str:
    """CloudFormation refuses a longer value at once; Lambda would refuse it when the stack is half made."""
    every = {name: longest(name, p) for name, p in stack.template()["Parameters"].items()}
    every = {name: value for name, value in every.items() if value is not None} | {"CertificateArn": "arn"}
    most = 0
    for front in ("cloudfront", "http-api", "function-url"):
        parameters = every | {"Front": front, "CloudFrontDownloads": "true", "KeepFunctionUrlOpen": "true"}
        for bucket in ("", PATTERNS["ExistingBucket"]):
            template = Resolved(parameters | {"ExistingBucket": bucket}, PHYSICAL, SECRETS)
            for function in functions():
                made = template.properties(function)["Environment"]["Variables"]
                size = len(json.dumps(made, separators=(",", ":")).encode())
                require(size + SPARE <= VARIABLES, f"{function} with {front}: {size} bytes, of {VARIABLES} less {SPARE}")
                most = max(most, size)
    return f"{most} of {VARIABLES} bytes"
