"""The figures, as tables for people and as JSON for programs."""

from measure import OPERATIONS, Measured
from prices import Prices
from table import print_rows

PARTS = ["S3", "DynamoDB", "invocations", "time", "logs", "front end"]
MILLION = 1_000_000


def describe(sides: dict[str, Measured], month: dict, prices: Prices, memory: int) -> dict:
    """Everything that is said, by name: JSON has it as it is, the tables are made of it."""
    operations = []
    for key, what in OPERATIONS.items():
        for name, measured in sides.items():
            if key not in measured:
                continue
            usage = measured[key]
            mean = {kind: usage.of(amount) for kind, amount in sorted(usage.classes.items())}
            dollars = usage.dollars(prices, memory)
            x86_64 = usage.dollars(prices, memory, "x86_64")
            operations.append(
                {
                    "operation": key,
                    "what": what,
                    "registry": name,
                    "requests": {name: usage.of(count) for name, count in sorted(usage.operations.items())},
                    "used": mean
                    | {name: usage.of(amount) for name, amount in sorted(usage.front.items())}
                    | {
                        "s3 by the client": usage.of(usage.clients),
                        "out bytes": usage.out_bytes(),
                        "invocations": usage.of(usage.invocations),
                        "ms here": usage.of(usage.billed_ms),
                        "ms on lambda": usage.lambda_ms(prices, memory) if usage.invocations else 0,
                        "log bytes": usage.of(usage.log_bytes),
                    },
                    "dollars per million": {part: dollars[part] * MILLION for part in PARTS}
                    | {
                        "all": sum(dollars.values()) * MILLION,
                        "all on x86_64": sum(x86_64.values()) * MILLION,
                        "transfer out": usage.transfer_dollars(prices) * MILLION,
                    },
                }
            )
    return {"prices": prices.table, "memory mb": memory, "operations": operations, "month": month}


def print_tables(said: dict, prices: Prices) -> None:
    _print_used(said)
    _print_dollars(said, prices)
    _print_month(said["month"], prices)


def _print_used(said: dict) -> None:
    headings = ["PUT, LIST", "GET, HEAD", "by client", "units read", "written", "invocations", "ms here", "on Lambda"]
    columns = ["s3 write", "s3 read", "s3 by the client", "dynamodb read", "dynamodb write"]
    columns += ["invocations", "ms here", "ms on lambda"]
    rows = [["what one uses", "", *headings, "MB out"]]
    for entry in said["operations"]:
        used = entry["used"]
        numbers = [_number(used.get(column, 0)) for column in columns]
        rows.append([entry["what"], entry["registry"], *numbers, f"{used['out bytes'] / 1e6:.1f}"])
    print_rows(rows)


def _print_dollars(said: dict, prices: Prices) -> None:
    rows = [["dollars for a million", "", *PARTS, "ALL", "x86_64", "transfer out"]]
    for entry in said["operations"]:
        dollars = entry["dollars per million"]
        cells = [f"{dollars[part]:.2f}" for part in PARTS]
        cells += [f"{dollars[name]:,.2f}" for name in ("all", "all on x86_64", "transfer out")]
        rows.append([entry["what"], entry["registry"], *cells])
    print()
    print_rows(rows)
    marks = {name: prices.mark(name) for name in prices.table["prices"]}
    doubtful = ", ".join(name for name, mark in marks.items() if mark)
    print(
        f"\nPrices of {prices.table['region']} (infra/prices.json), free tiers not counted. Transfer out is not in ALL: a client in the"
        "\nregion that S3 answers costs nothing. The front end is CloudFront or an HTTP API; a function URL has no price of its own, and"
        "\na load balancer is paid by the hour, as the container is: see below."
        "\nThrough CloudFront, and to distribution, each layer goes by one PUT; otherwise in chunks of 4 MiB, as a function takes 4.5 MB."
        "\nMilliseconds here are those of this machine, with a whole core and emulated AWS. On Lambda they are taken to be"
        f"\n{prices.assumed('core mb') / said['memory mb']:.2f} times as many ({said['memory mb']} MB of the {prices.assumed('core mb')} MB"
        f" that bring a core), and {prices.assumed('s3 ms')} ms more for each request to S3,"
        f"\n{prices.assumed('dynamodb ms')} ms for each to DynamoDB, and a second for {prices.assumed('mb per second')} MB to or from S3."
        + (f"\nNot confirmed (?): the price of {doubtful}." if doubtful else "")
    )


def _print_month(month: dict, prices: Prices) -> None:
    print("\na month, in dollars")
    rows = [["", "Berth", "distribution 3.1", "ECR"]]
    rows.append(["always on: 0.25 vCPU, 0.5 GB, arm64", "0", f"{month['container']:.2f}", "0"])
    rows.append(["load balancer, for HTTPS", "0", f"{month['load balancer']:.2f}{prices.mark('load balancer')}", "0"])
    for repositories, dollars in month["maintenance"].items():
        rows.append([f"daily maintenance, {repositories} repositories", f"{dollars:.4f}", "0", "0"])
    storage = f"{month['storage per GB']:.3f}"
    rows.append(["each GB stored", storage, storage, f"{month['ECR storage per GB']:.3f}"])
    print_rows(rows)
    print()
    for key, counts in month["break even"].items():
        print(
            f"{OPERATIONS[key]}: for each GB stored, ECR costs as much as Berth with {counts['ECR']:,.0f} of them a month;"
            f" the container and its load balancer cost as much as {counts['distribution']:,.0f} a month"
        )


def _number(number: float) -> str:
    return f"{number:.0f}" if number == int(number) else f"{number:.1f}"
