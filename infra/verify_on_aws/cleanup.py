"""Deletes everything that a run created, by the names which its id gives, and says what could not be deleted."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from typing import Callable

from .assumptions import FRONTS
from .aws import Aws, CommandFailed
from .deployment import artifacts, stack_name

# CloudFront Functions write their logs there, whatever the stack's region.
EDGE_REGION = "us-east-1"
STACK_SECONDS, POLL_SECONDS = 3600, float(os.environ.get("BERTH_VERIFY_POLL_SECONDS", 10))
# Codes, as the AWS CLI prints them. Other parts of a message may hold anything, such as account numbers.
ABSENT = ("(NoSuchBucket)", "(404)", "(ResourceNotFoundException)")


@dataclass
class Leftover:
    what: str
    reason: str
    command: str  # deletes it


@dataclass
class Stack:
    name: str
    id: str = ""
    buckets: list = field(default_factory=list)
    log_groups: list = field(default_factory=list)  # (region, name)
    deleting: bool = False


class Cleanup:
    def __init__(
        self, aws: Aws, run_id: str, say: Callable[[str], None], fronts=FRONTS, poll_seconds: float = POLL_SECONDS
    ):
        # Deletion goes on when ctrl-C is pressed.
        self.aws, self.run_id, self.say, self.poll_seconds = aws.uninterrupted(), run_id, say, poll_seconds
        self.stacks = [Stack(stack_name(run_id, front)) for front in fronts]
        self.left: list = []

    def everything(self) -> list:
        """What is left, which should be nothing. May be called again after an interruption."""
        self.left = []
        there = [stack for stack in self.stacks if self.attempt(f"stack {stack.name}", self.find, stack)]
        for stack in there:
            self.say(f"deleting stack {stack.name}")
            stack.deleting = bool(self.attempt(f"stack {stack.name}", self.begin, stack))
        for stack in there:
            if stack.deleting:
                self.attempt(f"stack {stack.name}", self.finish, stack)
        for stack in self.stacks:
            for bucket in stack.buckets:
                self.attempt(f"bucket {bucket}", self.delete_bucket, bucket)
            for region, group in stack.log_groups:
                self.attempt(f"log group {group} in {region}", self.delete_log_groups, region, group)
        self.attempt(f"bucket {artifacts(self.run_id)}", self.delete_bucket, artifacts(self.run_id))
        return self.left

    def attempt(self, what: str, step: Callable, *arguments):
        """A step that fails is told at the end, and does not keep the next from being taken."""
        try:
            return step(*arguments)
        except (CommandFailed, ValueError, KeyError) as failed:
            if not any(left.what == what for left in self.left):
                self.left.append(Leftover(what, str(failed), self.by_hand(what)))
            return None

    def by_hand(self, what: str) -> str:
        kind, _, name = what.partition(" ")
        if kind == "stack":
            delete = "aws cloudformation delete-stack --deletion-mode FORCE_DELETE_STACK"
            return f"{delete} --stack-name {name} --region {self.aws.region}"
        if kind == "bucket":
            return f"aws s3 rb --force s3://{name} --region {self.aws.region}"
        group, _, region = what[len("log group ") :].partition(" in ")
        return f"aws logs delete-log-group --log-group-name {group} --region {region}"

    # Stacks

    def status(self, stack: Stack) -> str:
        """Its status; nothing once it is gone. By its id if known: a name is forgotten with the stack."""
        try:
            described = self.aws.json("cloudformation", "describe-stacks", "--stack-name", stack.id or stack.name)[
                "Stacks"
            ][0]
        except CommandFailed as failed:
            if failed.is_about(f"{stack.id or stack.name} does not exist"):
                return ""
            raise
        stack.id = described["StackId"]
        return "" if described["StackStatus"] == "DELETE_COMPLETE" else described["StackStatus"]

    def find(self, stack: Stack) -> bool:
        """Notes what the stack does not delete itself. Its name alone tells the log groups of a stack that is gone."""
        stack.log_groups = [
            (self.aws.region, f"/aws/lambda/{stack.name}-"),
            (EDGE_REGION, f"/aws/cloudfront/function/{stack.name}"),
        ]
        is_there = bool(self.status(stack))
        # A deletion that was interrupted may have left the bucket, which a stack retains.
        stack.id = stack.id or self.deleted(stack)
        if not stack.id:
            return False
        listed = self.aws.json("cloudformation", "list-stack-resources", "--stack-name", stack.id)
        for resource in listed.get("StackResourceSummaries", []):
            name = resource.get("PhysicalResourceId", "")
            if (
                resource["ResourceType"] == "AWS::S3::Bucket"
                and name
                and resource["ResourceStatus"] != "DELETE_COMPLETE"
            ):
                stack.buckets.append(name)
            if resource["ResourceType"] == "AWS::CloudFront::Function" and name:
                stack.log_groups.append((EDGE_REGION, f"/aws/cloudfront/function/{name.rpartition('/')[2]}"))
            if resource["ResourceType"] == "AWS::Lambda::Function" and name:
                stack.log_groups.append((self.aws.region, f"/aws/lambda/{name}"))
            if resource["ResourceType"] == "AWS::Logs::LogGroup" and name:
                stack.log_groups.append((self.aws.region, name))
        stack.buckets = sorted(set(stack.buckets))
        stack.log_groups = sorted(set(stack.log_groups))
        return is_there

    def deleted(self, stack: Stack) -> str:
        """The id of a deleted stack of this name, by which AWS knows its resources for 90 days; else empty."""
        listed = self.aws.json("cloudformation", "list-stacks", "--stack-status-filter", "DELETE_COMPLETE")
        ids = [entry["StackId"] for entry in listed.get("StackSummaries", []) if entry["StackName"] == stack.name]
        return ids[0] if ids else ""

    def begin(self, stack: Stack, *mode: str) -> bool:
        self.aws.json("cloudformation", "delete-stack", "--stack-name", stack.id, *mode)
        return True

    def finish(self, stack: Stack) -> None:
        """Waits until it is gone; one that cannot be deleted as a whole is deleted without what cannot."""
        until, forced = time.monotonic() + STACK_SECONDS, False
        while status := self.status(stack):
            if status == "DELETE_FAILED":
                if forced:
                    raise ValueError("its deletion failed twice: see its events")
                self.begin(stack, "--deletion-mode", "FORCE_DELETE_STACK")
                forced = True
            elif time.monotonic() > until:
                raise ValueError(f"still {status} after {STACK_SECONDS} s")
            time.sleep(self.poll_seconds)

    # Buckets

    def delete_bucket(self, bucket: str) -> None:
        """With every version and every upload in it. One that is not there is no error."""
        try:
            self.empty(bucket)
            self.aws.json("s3api", "delete-bucket", "--bucket", bucket)
        except CommandFailed as failed:
            if not failed.is_about(*ABSENT):
                raise
            return
        self.say(f"deleted bucket {bucket}")

    def empty(self, bucket: str) -> None:
        while True:
            page = self.aws.json("s3api", "list-object-versions", "--bucket", bucket, "--max-items", "1000")
            entries = page.get("Versions") or []
            entries += page.get("DeleteMarkers") or []
            if not entries:
                break
            objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
            # A file, because a command line may not be long enough.
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump({"Objects": objects, "Quiet": True}, file)
                file.flush()
                said = self.aws.json("s3api", "delete-objects", "--bucket", bucket, "--delete", f"file://{file.name}")
            if said.get("Errors"):
                raise ValueError(f"{said['Errors'][0]['Key']}: {said['Errors'][0].get('Message')}")
        uploads = self.aws.json("s3api", "list-multipart-uploads", "--bucket", bucket).get("Uploads") or []
        for upload in uploads:
            self.aws.json(
                "s3api",
                "abort-multipart-upload",
                "--bucket",
                bucket,
                "--key",
                upload["Key"],
                "--upload-id",
                upload["UploadId"],
            )

    # Logs

    def delete_log_groups(self, region: str, prefix: str) -> None:
        """All whose names begin so: those which Lambda or CloudFront made, and those that the stack left."""
        found = self.aws.json("logs", "describe-log-groups", "--log-group-name-prefix", prefix, region=region)
        for group in found.get("logGroups", []):
            try:
                self.aws.json("logs", "delete-log-group", "--log-group-name", group["logGroupName"], region=region)
            except CommandFailed as failed:
                if not failed.is_about(*ABSENT):
                    raise
                continue
            self.say(f"deleted log group {group['logGroupName']}")
