"""The price table, infra/prices.json, and the arithmetic on it."""

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "infra" / "prices.json"
FIELDS = {"usd", "per", "unit", "source", "seen", "confirmed"}


class Unpriced(Exception):
    """Something was used whose price the table does not say."""


@dataclass(frozen=True)
class Prices:
    table: dict

    @classmethod
    def load(cls) -> "Prices":
        prices = cls(json.loads(FILE.read_text()))
        for name, price in prices.table["prices"].items():
            if set(price) != FIELDS:
                raise Unpriced(f"{FILE.name}: {name!r} has the fields {sorted(price)} instead of {sorted(FIELDS)}")
        return prices

    def class_of(self, operation: str) -> str:
        """The class that a request is charged in. `operation` is as the emulators log it: s3:PutObject."""
        name = self.table["operations"].get(operation)
        if name is None:
            raise Unpriced(f"{operation}: no price class; give it one in `operations` of {FILE.name}")
        self._price(name)
        return name

    def dollars(self, name: str, amount: float) -> float:
        """What so much of a class costs, in its unit."""
        price = self._price(name)
        return amount * price["usd"] / price["per"]

    def mark(self, *names: str) -> str:
        """`?` where one of these prices is not confirmed."""
        return "" if all(self._price(name)["confirmed"] for name in names) else "?"

    def assumed(self, name: str) -> float:
        return self.table["assumed"][name]["value"]

    def container_month(self) -> float:
        """The container that is always on, in dollars."""
        size, hours = self.table["container"], self.assumed("hours")
        return self.dollars("container cpu", size["vcpu"] * hours) + self.dollars("container memory", size["gb"] * hours)

    def _price(self, name: str) -> dict:
        price = self.table["prices"].get(name)
        if price is None:
            raise Unpriced(f"{name!r}: no such price in {FILE.name}")
        return price
