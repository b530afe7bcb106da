"""Sums whose result is known, done before any that is not: prices by hand, from the pages that infra/prices.json names."""

import math

from prices import Prices, Unpriced
from usage import Usage


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

    refused(lambda: prices.class_of("s3:SelectObjectContent"), "an operation without a class")
    refused(lambda: prices.dollars("s3 wishes", 1), "a class without a price")
    refused(lambda: Usage().add_requests([dynamodb("PutItem", None)], prices), "a request without its units")


def s3(operation: str, method: str = "PUT", sent: int = 0, had: int = 0, presigned: bool = False) -> dict:
    sizes = {"request_bytes": sent, "response_bytes": had, "units": None}
    return {"service": "s3", "operation": operation, "method": method, "presigned": presigned} | sizes


def dynamodb(operation: str, units: float | None) -> dict:
    sizes = {"request_bytes": 9, "response_bytes": 9, "units": units, "status": 200}
    return {"service": "dynamodb", "operation": operation, "method": "POST", "presigned": False} | sizes


def equal(seen: float, expected: float) -> None:
    assert math.isclose(seen, expected), f"{seen} instead of {expected}"


def refused(what, name: str) -> None:
    try:
        what()
    except Unpriced:
        return
    raise AssertionError(f"{name} was taken")
