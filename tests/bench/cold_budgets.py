"""What Berth has promised of a cold start, on a machine of this kind."""

import statistics

from cold import Series
from table import print_rows, span

# key -> (what, unit, the most that it may be; None is for information)
ROWS = {
    "poll": ("exec to first poll", "ms", 8.0),
    "v2": ("exec to first answer of /v2/, the 401 that every client sees first", "ms", 10.0),
    "v2 token": ("the same, with a token, whose key is read", "ms", 10.0),
    "token cost 5": ("exec to first token, by a password hashed at cost 5 (htpasswd's default)", "ms", None),
    "token cost 10": ("the same, hash of cost 10", "ms", None),
    "manifest": ("exec to first manifest by tag, with a token", "ms", 30.0),
    "resident": ("resident after a pull", "MB", 24.0),
    "zip": ("bootstrap, zipped (deflate 9)", "MB", 5.0),
    "program": ("bootstrap, as it is", "MB", None),
}


def check(series: Series) -> bool:
    """Prints the medians beside their budgets and returns whether all were met; one not measured is not met."""
    rows = [["", "median", "from..to", "runs", "at most", ""]]
    verdicts = []
    for key, (what, unit, most) in ROWS.items():
        numbers = series.get(key)
        median = statistics.median(numbers) if numbers else None
        met = most is None or (median is not None and median <= most)
        verdicts.append(met)
        shown = ["-"] * 3
        if numbers:
            shown = [f"{median:.2f} {unit}", span(numbers, "{:.2f}"), str(len(numbers))]
        budget = "" if most is None else f"{most:g} {unit}"
        rows.append([what, *shown, budget, "" if most is None else "ok" if met else "MISS"])
    print_rows(rows)
    return all(verdicts)
