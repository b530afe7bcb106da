"""What the daily maintenance costs, which is all that happens while nobody pushes or pulls."""

import math
import time

from deployment import Deployment
from prices import Prices
from usage import Usage


def run(deployment: Deployment, prices: Prices) -> Usage:
    """One run."""
    deployment.ask("/_requests", "DELETE")
    began = time.perf_counter()
    deployment.ask("/_maintenance", "POST")
    usage = Usage(rounds=1, invocations=1, billed_ms=math.ceil((time.perf_counter() - began) * 1000))
    usage.add_requests(deployment.ask("/_requests"), prices)
    return usage


def month_dollars(empty: Usage, filled: Usage, had: int, repositories: int, prices: Prices, memory: int) -> float:
    """A month of daily runs over so many repositories, from a run over none and one over `had`."""

    def once(usage: Usage) -> float:
        return sum(usage.dollars(prices, memory).values()) + prices.dollars("schedule", 1)

    each = (once(filled) - once(empty)) / had
    return prices.assumed("days") * (once(empty) + each * repositories)
