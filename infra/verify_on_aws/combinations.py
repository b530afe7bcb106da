"""Which combinations of assumptions are played for a front end."""

from __future__ import annotations

import itertools
import math
import random

from .assumptions import observable

TRIES = 20  # rows among which the best is taken


def factors(front: str) -> dict:
    """name -> values, of what a check can observe through the front end."""
    return {assumption.name: list(assumption.values) for assumption in observable(front)}


def count(named: dict) -> int:
    return math.prod(len(values) for values in named.values())


def full(named: dict) -> list:
    return [dict(zip(named, values)) for values in itertools.product(*named.values())]


def covering(named: dict, strength: int) -> list:
    """Few combinations (greedily, the same at each call) in which any `strength` factors have every combination of
    values. The first is that of all defaults."""
    names, chance = list(named), random.Random(7)
    strength = min(strength, len(names))
    groups = list(itertools.combinations(names, strength))
    missing = {(group, values) for group in groups for values in itertools.product(*(named[name] for name in group))}

    def covers(row: dict) -> set:
        return {(group, tuple(row[name] for name in group)) for group in groups} & missing

    rows = [{name: values[0] for name, values in named.items()}]
    missing -= covers(rows[0])
    while missing:
        best: tuple = (set(), {})
        for _ in range(TRIES):
            # One missing group is certain; the rest is drawn.
            group, values = min(missing) if not best[1] else chance.choice(sorted(missing))
            row = {name: chance.choice(options) for name, options in named.items()} | dict(zip(group, values))
            for name in chance.sample(names, len(names)):
                if name not in group:
                    row[name] = max(named[name], key=lambda value: len(covers({**row, name: value})))
            gained = covers(row)
            if len(gained) > len(best[0]):
                best = (gained, row)
        rows.append(best[1])
        missing -= best[0]
    return rows


def chosen(front: str, largest: int, strength: int) -> tuple:
    """The combinations, and how they were chosen."""
    named = factors(front)
    if count(named) <= largest:
        return full(named), f"all {count(named)} combinations of {len(named)} assumptions"
    rows = covering(named, strength)
    return (
        rows,
        f"{len(rows)} of {count(named)} combinations of {len(named)} assumptions: "
        f"any {strength} of them in every combination",
    )
