"""The functions of a default deployment: what Lambda is told, and how they are reached."""

import json

import boto3

from report import equal, require
from stack import REGION, Stack, template


def checks(stack: Stack, environment: dict[str, dict[str, str]]) -> dict:
    return {
        "the registry's handler, runtime, memory and timeout": lambda: registry(stack),
        "the maintenance's handler, runtime, memory and timeout": lambda: maintenance(stack),
        "each function has its variables, and no others": lambda: variables(stack, environment),
        "each function writes to a log group that expires": lambda: logs(stack),
        "the function URL is open to all, and only through it": lambda: url(stack),
        "the maintenance is called by its schedule, once": lambda: schedule(stack),
        "all functions are one build": lambda: one_build(),
    }


def deployed(stack: Stack, function: str) -> dict:
    """What Lambda says of a function, and of a template's properties those that moto does not keep."""
    client = boto3.client("lambda", region_name=REGION)
    said = client.get_function_configuration(FunctionName=stack.name(function))
    return stack.properties(function) | {k: said[k] for k in ("Handler", "Runtime", "MemorySize", "Timeout", "Environment")}


def registry(stack: Stack) -> None:
    function = deployed(stack, "RegistryFunction")
    seen = {key: function.get(key) for key in ("Handler", "Runtime", "MemorySize", "Timeout", "Architectures")}
    equal("RegistryFunction", seen, {
        "Handler": "registry", "Runtime": "provided.al2023", "MemorySize": 512, "Timeout": 120, "Architectures": ["arm64"],
    })
    require("ReservedConcurrentExecutions" not in function, "concurrency is reserved by default")


def maintenance(stack: Stack) -> None:
    function = deployed(stack, "MaintenanceFunction")
    seen = {key: function.get(key) for key in ("Handler", "Runtime", "MemorySize", "Timeout", "Architectures")}
    equal("MaintenanceFunction", seen, {
        "Handler": "maintenance", "Runtime": "provided.al2023", "MemorySize": 256, "Timeout": 900, "Architectures": ["arm64"],
    })
    # New accounts may run 10 instances, and none of those can be reserved.
    require("ReservedConcurrentExecutions" not in function, "concurrency is reserved")


def variables(stack: Stack, environment: dict[str, dict[str, str]]) -> None:
    for function, expected in environment.items():
        seen = deployed(stack, function)["Environment"]["Variables"]
        equal(f"{function}'s environment", seen, expected)


def logs(stack: Stack) -> None:
    client = boto3.client("logs", region_name=REGION)
    for function, group in (("RegistryFunction", "RegistryLogs"), ("MaintenanceFunction", "MaintenanceLogs")):
        (found,) = client.describe_log_groups(logGroupNamePrefix=stack.name(group))["logGroups"]
        equal(f"{group} keeps days", found["retentionInDays"], 30)
        equal(f"{function} logs to", deployed(stack, function)["LoggingConfig"], {"LogGroup": stack.name(group)})


def url(stack: Stack) -> None:
    client = boto3.client("lambda", region_name=REGION)
    made = client.get_function_url_config(FunctionName=stack.name("RegistryFunction"))
    equal("authorization", made["AuthType"], "NONE")
    # A streamed answer would have other limits; the function answers in one piece.
    equal("answers", stack.properties("RegistryFunctionUrl")["InvokeMode"], "BUFFERED")
    policy = json.loads(client.get_policy(FunctionName=stack.name("RegistryFunction"))["Policy"])
    allowed = [(s["Principal"], s["Action"], s.get("FunctionUrlAuthType"), s.get("InvokedViaFunctionUrl"))
               for s in permissions(stack, "RegistryFunction")]
    # "Control access to Lambda function URLs": since October 2025 both are needed.
    equal("permissions", sorted(allowed, key=str), sorted([
        ("*", "lambda:InvokeFunctionUrl", "NONE", None), ("*", "lambda:InvokeFunction", None, True),
    ], key=str))
    equal("statements of its policy", len(policy["Statement"]), 2)


def permissions(stack: Stack, function: str) -> list[dict]:
    found = map(stack.properties, stack.resources("AWS::Lambda::Permission"))
    return [permission for permission in found if permission["FunctionName"] == stack.name(function)]


def schedule(stack: Stack) -> str:
    events = boto3.client("events", region_name=REGION)
    (rule,) = events.list_rules()["Rules"]
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    equal("target", target["Arn"], stack.arn("MaintenanceFunction"))
    (permission,) = permissions(stack, "MaintenanceFunction")
    equal("who may call", (permission["Principal"], permission["SourceArn"]), ("events.amazonaws.com", rule["Arn"]))
    asynchronous = stack.properties("MaintenanceFunctionEventInvokeConfig")
    equal("retries", asynchronous["MaximumRetryAttempts"], 0)
    return rule["ScheduleExpression"]


def one_build() -> None:
    functions = {name: r for name, r in template()["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}
    equal("functions", sorted(functions), ["EdgeSecretsFunction", "MaintenanceFunction", "RegistryFunction"])
    # SAM compiles once what has the same of these.
    same = [(f["Metadata"], *(f["Properties"][key] for key in ("CodeUri", "Runtime", "Architectures"))) for f in functions.values()]
    for other in same[1:]:
        equal("the other functions' build", other, same[0])
    # berth, the command line, is the other binary, and answers no event.
    equal("metadata", same[0][0], {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": "bootstrap"}})
