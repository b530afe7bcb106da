"""Sums whose result is known, done before any that is not: prices by hand, from the pages that infra/prices.json names."""

import math

from prices import Prices, Unpriced
from usage import CLOUDFRONT, Usage


def run(prices: Prices) -> None:
    """Raises AssertionError, or Unpriced where a class has no price."""
    for operation in prices.table["operations"]:
        prices.class_of(operation)
    equal(prices.dollars("s3 write", 1000), 0.005)
    equal(prices.dollars("s3 read", 1_000_000), 0.4)
    equal(prices.dollars("dynamodb write", 1_000_000), 0.625)
    # 0.25 vCPU and 0.5 GB for 730 hours
    equal(prices.container_month(), 0.25 * 730 * 0.03238 + 0.5 * 730 * 0.00356)

    usage = Usage(rounds=2, invocations=4, billed_ms=20)
    usage.add_requests([s3("PutObject", sent=78_000_000), s3("GetObject", had=1_000_000, presigned=True)], prices)
    usage.add_requests([dynamodb("TransactWriteItems", 4.0), s3("HeadObject", "HEAD", had=500)], prices)
    # A half of: 20 ms on 512 of 1769 MB, two requests of S3 and one of DynamoDB, a second of transfer. HEAD has no body.
    equal(usage.lambda_ms(prices, 512), (20 * 1769 / 512 + 2 * 30 + 5 + 1000) / 2)
    dollars = usage.dollars(prices, 512)
    equal(dollars["S3"], (0.005 + 2 * 0.0004) / 1000 / 2)
    equal(dollars["DynamoDB"], 2 * 0.625e-6)
    equal(dollars["invocations"], 2 * 0.2e-6)
    equal(dollars["time"], usage.lambda_ms(prices, 512) / 1000 * 0.5 * 0.0000133334)
    equal(usage.transfer_dollars(prices), 0.0005 * 0.09)

    # CloudFront: three requests, one of them to the bucket; what it sends there itself costs no time of the function.
    usage = Usage(rounds=1, out=1_000_000)
    usage.add_requests([s3("PutObject", sent=8_000_000, identity=CLOUDFRONT)], prices)
    usage.add_cloudfront([edge(1, None, 0), edge(2, "registry", 0), edge(2, "bucket", 8_000_000)], 1_000_000)
    equal(usage.lambda_ms(prices, 512), 0)
    equal(usage.dollars(prices, 512)["front end"], 3 * 1e-6 + 5 * 0.1e-6 + 0.03e-6 + 0.008 * 0.02)
    equal(usage.transfer_dollars(prices), 0.001 * 0.085)
    equal(usage.out_bytes(), 1_000_000)
    usage = Usage(rounds=1)
    usage.add_http_api([0, 512 * 1024, 512 * 1024 + 1], prices)
    equal(usage.dollars(prices, 512)["front end"], 4 * 1e-6)

    refused(lambda: prices.class_of("s3:SelectObjectContent"), "an operation without a class")
    refused(lambda: prices.dollars("s3 wishes", 1), "a class without a price")
    refused(lambda: Usage().add_requests([dynamodb("PutItem", None)], prices), "a request without its units")


def s3(
    operation: str, method: str = "PUT", sent: int = 0, had: int = 0, presigned: bool = False, identity: str | None = None
) -> dict:
    sizes = {"request_bytes": sent, "response_bytes": had, "units": None}
    return {"service": "s3", "operation": operation, "method": method, "presigned": presigned, "identity": identity} | sizes


def edge(runs: int, origin: str | None, sent: int) -> dict:
    return {"function_runs": runs, "origin": origin, "request_bytes": sent}


def dynamodb(operation: str, units: float | None) -> dict:
    sizes = {"request_bytes": 9, "response_bytes": 9, "units": units, "status": 200}
    return {"service": "dynamodb", "operation": operation, "method": "POST", "presigned": False, "identity": None} | sizes


def equal(seen: float, expected: float) -> None:
    assert math.isclose(seen, expected), f"{seen} instead of {expected}"


def refused(what, name: str) -> None:
    try:
        what()
    except Unpriced:
        return
    raise AssertionError(f"{name} was taken")
