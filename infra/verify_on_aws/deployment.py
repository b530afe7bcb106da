"""Deploys one front end to a stack of its own, and finds what its checks need."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .aws import Aws, CommandFailed, Sam
from .bcrypt import hashed
from .session import Target

USER = "verify"
UNVERIFIED = "must be verified before you can add new CloudFront resources"


class DeploymentFailed(Exception):
    """The stack could not be created; `unverified` when AWS has not yet allowed the account to use CloudFront."""

    def __init__(self, reason: str):
        self.unverified = UNVERIFIED in reason
        super().__init__(reason)


@dataclass
class Deployer:
    aws: Aws
    sam: Sam
    account: str
    run_id: str  # what the name of everything begins with
    password: str
    architecture: str
    parameters: dict = field(default_factory=dict)  # further ones, of the command line
    built: str = ""

    @property
    def artifacts(self) -> str:
        """The bucket which the code is uploaded to."""
        return artifacts(self.run_id)

    def build(self, template: str) -> None:
        self.built = self.sam.build(template, {"Architecture": self.architecture})

    def make_artifacts_bucket(self) -> None:
        place = (
            []
            if self.aws.region == "us-east-1"
            else ["--create-bucket-configuration", f"LocationConstraint={self.aws.region}"]
        )
        self.aws.json("s3api", "create-bucket", "--bucket", self.artifacts, *place)

    def deploy(self, front: str) -> Target:
        stack = stack_name(self.run_id, front)
        rights = "pull, push, delete, catalog on **"
        parameters = {
            "Front": front,
            "Architecture": self.architecture,
            "LogRetentionDays": "1",
            "Users": f"{USER}:{hashed(self.password)}",
            "Rules": f"allow user:{USER} to {rights}; allow account:{self.account} to {rights}",
            **self.parameters,
        }
        started = int(time.time() * 1000)
        try:
            self.sam.deploy(self.built, stack, self.artifacts, parameters)
        except CommandFailed as failed:
            raise DeploymentFailed(self.reason(stack) or str(failed)) from failed
        outputs = self.outputs(stack)
        function = outputs["RegistryFunctionName"]
        return Target(
            front=front,
            host=outputs["RegistryHost"],
            user=USER,
            password=self.password,
            bucket=outputs["BucketName"],
            region=self.aws.region,
            function_name=function,
            log_group=outputs["RegistryLogGroup"],
            started_ms=started,
            function_url=outputs.get("FunctionUrlHost", ""),
        )

    def outputs(self, stack: str) -> dict:
        described = self.aws.json("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def reason(self, stack: str) -> str:
        """The first failure that the stack's events tell."""
        try:
            events = self.aws.json("cloudformation", "describe-stack-events", "--stack-name", stack)["StackEvents"]
        except CommandFailed:
            return ""
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        told = [event for event in failed if "cancelled" not in event.get("ResourceStatusReason", "")] or failed
        if not told:
            return ""
        first = told[-1]  # the newest event comes first
        return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', first['ResourceStatus'])}"


def stack_name(run_id: str, front: str) -> str:
    return f"{run_id}-{front}"


def artifacts(run_id: str) -> str:
    return f"{run_id}-artifacts"
