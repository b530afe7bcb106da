"""Least privilege: what the roles of a deployment allow, compared with what the code asks."""

from actions import asked
from report import equal, require
from stack import Stack

# The objects and prefixes of the registry, below the root directory.
CONTENT = "docker/registry/v2/"
OWN = "berth/"
UPLOADS = "docker/registry/v2/repositories/*/_uploads/"


def checks(stack: Stack, bucket: str, root: str) -> dict:
    return {
        "the registry may do what the code asks, and no more": lambda: registry_actions(stack),
        "the registry's statements name its keys, its table and its log": lambda: registry_statements(stack, bucket, root),
        "the maintenance finds, reads and deletes uploads, and no more": lambda: maintenance(stack, bucket, root),
        "a role is one function's, and nobody else's": lambda: trust(stack),
        "no statement allows every action or every resource": lambda: nothing_wild(stack),
    }


def policy(stack: Stack, role: str) -> dict:
    """The one policy of a role, resolved."""
    policies = stack.properties(role)["Policies"]
    require(len(policies) == 1, f"{role} has {len(policies)} policies")
    require("ManagedPolicyArns" not in stack.properties(role), f"{role} has managed policies too")
    return policies[0]["PolicyDocument"]


def statements(stack: Stack, role: str) -> dict[str, tuple[set[str], list[str], dict]]:
    """Actions, resources and condition of each statement, by its Sid."""
    found = {}
    for statement in policy(stack, role)["Statement"]:
        require(statement["Effect"] == "Allow", f"{role} has a statement that does not allow")
        sid = statement.get("Sid", "")
        require(sid.isalnum() and sid not in found, f"{role} has a statement with no Sid of its own: {sid!r}")
        actions, resources = statement["Action"], statement["Resource"]
        found[sid] = (
            {actions} if isinstance(actions, str) else set(actions),
            [resources] if isinstance(resources, str) else resources,
            statement.get("Condition", {}),
        )
    return found


def actions_of(stack: Stack, role: str, service: str) -> set[str]:
    every = [actions for actions, _, _ in statements(stack, role).values()]
    return {action for actions in every for action in actions if action.startswith(f"{service}:")}


def registry_actions(stack: Stack) -> str:
    for service in ("s3", "dynamodb"):
        equal(f"{service} actions", sorted(actions_of(stack, "RegistryRole", service)), sorted(asked(service)))
    return f"{len(asked('s3'))} of S3, {len(asked('dynamodb'))} of DynamoDB"


def registry_statements(stack: Stack, bucket: str, root: str) -> None:
    table = stack.arn("Table")
    same_statements("RegistryRole", statements(stack, "RegistryRole"), {
        "WriteLogs": (LOGS, [logs_of(stack, "RegistryLogs")], {}),
        # Of the whole bucket, or S3 may answer 403 instead of 404 where nothing is.
        "ListFolders": ({"s3:ListBucket"}, [bucket], {}),
        "KeepContent": (asked("s3") - {"s3:ListBucket"}, [f"{bucket}/{root}{CONTENT}*"], {}),
        "KeepNamesAndSecrets": ({"s3:GetObject", "s3:PutObject"}, [f"{bucket}/{root}{OWN}*"], {}),
        "RememberDescriptors": (asked("dynamodb"), [table], {}),
    })


def maintenance(stack: Stack, bucket: str, root: str) -> None:
    same_statements("MaintenanceRole", statements(stack, "MaintenanceRole"), {
        "WriteLogs": (LOGS, [logs_of(stack, "MaintenanceLogs")], {}),
        "FindUploads": ({"s3:ListBucket"}, [bucket], {}),
        "PurgeUploads": ({"s3:GetObject", "s3:DeleteObject"}, [f"{bucket}/{root}{UPLOADS}*"], {}),
    })


def same_statements(role: str, seen: dict, expected: dict) -> None:
    equal(f"{role}'s statements", sorted(seen), sorted(expected))
    for sid, statement in expected.items():
        for what, there, wanted in zip(("actions", "resources", "condition"), seen[sid], statement):
            equal(f"{role} {sid} {what}", there, wanted)


def trust(stack: Stack) -> None:
    for function, role in roles_of(stack).items():
        equal(f"{function} runs as", stack.properties(function)["Role"], stack.arn(role))
        trusted = stack.properties(role)["AssumeRolePolicyDocument"]["Statement"]
        equal(f"{role} trusts", [(s["Effect"], s["Principal"], s["Action"]) for s in trusted],
              [("Allow", {"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")])


def roles_of(stack: Stack) -> dict[str, str]:
    """The role of each function of the stack."""
    functions = ("Registry", "Maintenance", "EdgeSecrets")
    return {f"{name}Function": f"{name}Role" for name in functions if stack.made(f"{name}Role")}


def nothing_wild(stack: Stack) -> None:
    for role in roles_of(stack).values():
        for sid, (actions, resources, _) in statements(stack, role).items():
            require(not any("*" in action for action in actions), f"{role} {sid}: {sorted(actions)}")
            for resource in resources:
                require(resource.startswith("arn:aws:") and ":::*" not in resource, f"{role} {sid}: {resource}")


LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}


def logs_of(stack: Stack, group: str) -> str:
    return f"arn:aws:logs:eu-central-1:123456789012:log-group:{stack.name(group)}:*"
