"""The bucket and the table of a deployment."""

import json
import re

import boto3

from report import equal, require
from stack import REGION, Stack
from tools import ROOT


def checks(stack: Stack) -> dict:
    return {
        "the bucket is private, and its owner owns what lies in it": lambda: private(stack),
        "the bucket takes requests by TLS alone": lambda: tls(stack),
        "the bucket is encrypted, without a key that costs": lambda: encrypted(stack),
        "the bucket aborts stale multipart uploads, and deletes nothing": lambda: lifecycle(stack),
        "the bucket and its policy outlive the stack": lambda: kept(stack),
        "the table has the cache's keys and expiry, and no fixed price": lambda: table(stack),
    }


def private(stack: Stack) -> None:
    bucket = stack.properties("Bucket")
    equal("public access block", bucket.get("PublicAccessBlockConfiguration"), dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True,
    ))
    equal("ownership", bucket.get("OwnershipControls"), {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    for property in ("AccessControl", "WebsiteConfiguration", "CorsConfiguration"):
        require(property not in bucket, f"the bucket has {property}")


def tls(stack: Stack) -> None:
    name = stack.name("Bucket")
    policy = json.loads(boto3.client("s3", region_name=REGION).get_bucket_policy(Bucket=name)["Policy"])
    (statement,) = (s for s in policy["Statement"] if s["Effect"] == "Deny")
    equal("statement", {k: v for k, v in statement.items() if k != "Sid"}, {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    })


def encrypted(stack: Stack) -> None:
    said = boto3.client("s3", region_name=REGION).get_bucket_encryption(Bucket=stack.name("Bucket"))
    (rule,) = said["ServerSideEncryptionConfiguration"]["Rules"]
    equal("algorithm", rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})


def lifecycle(stack: Stack) -> None:
    (rule,) = stack.properties("Bucket")["LifecycleConfiguration"]["Rules"]
    # Any other action would take content away, or move it to where a read waits or costs.
    equal("rule", {k: v for k, v in rule.items() if k != "Id"}, {
        "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    })


def kept(stack: Stack) -> None:
    for resource in ("Bucket", "BucketPolicy"):
        written = stack.written(resource)
        equal(f"{resource} when deleted", written.get("DeletionPolicy"), "RetainExceptOnCreate")
        equal(f"{resource} when replaced", written.get("UpdateReplacePolicy"), "Retain")


def attribute_of_expiry() -> str:
    """The attribute that the code writes the time into."""
    source = (ROOT / "src/cache/dynamodb/rows.rs").read_text()
    return re.search(r'const EXPIRES: &str = "(\w+)";', source)[1]


def table(stack: Stack) -> None:
    client = boto3.client("dynamodb", region_name=REGION)
    name = stack.name("Table")
    said = client.describe_table(TableName=name)["Table"]
    equal("keys", {key["AttributeName"]: key["KeyType"] for key in said["KeySchema"]}, {"pk": "HASH", "sk": "RANGE"})
    equal("attributes", {a["AttributeName"]: a["AttributeType"] for a in said["AttributeDefinitions"]}, {"pk": "S", "sk": "S"})
    equal("billing", said["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
    expiry = stack.properties("Table")["TimeToLiveSpecification"]
    equal("expiry", expiry, {"AttributeName": attribute_of_expiry(), "Enabled": True})
    equal("deletion", stack.written("Table").get("DeletionPolicy"), "Delete")
