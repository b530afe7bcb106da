"""What one check found, as the table and the JSON file have it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

# Where a check could not see the answer, for a reason that it states.
HIDDEN = "not observable"


@dataclass
class Observation:
    """`value` is one of the assumption's where the check has one, else a short word; `detail` is what was seen."""

    value: str
    detail: str = ""
    consequence: str = ""
    ok: bool = True  # False: something that the registry depends on does not work


@dataclass
class Finding:
    front: str
    check: str
    question: str
    value: str
    detail: str
    consequence: str
    ok: bool
    assumption: str = ""
    default: str = ""  # the assumption's value in the local stack
    seconds: float = field(default=0.0)

    @property
    def observation(self) -> str:
        return f"{self.value}: {self.detail}" if self.detail else self.value

    def verdict(self) -> str:
        """Whether the documented assumption was right."""
        if not self.assumption:
            return "ok" if self.ok else "FAILED"
        if self.value == HIDDEN:
            return "not seen"
        if self.value == self.default:
            return "as assumed" if self.ok else "as assumed, FAILED"
        return "differs" if self.ok else "differs, FAILED"

    def as_json(self) -> dict:
        return {**asdict(self), "seconds": round(self.seconds, 1), "verdict": self.verdict()}
