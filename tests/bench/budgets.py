"""What Berth has promised against distribution 3.1."""

from table import COLUMNS, Results

PEER = "distribution 3.1"
# column -> (how the ratio berth/peer is put, what it must be)
AT_LEAST = {"manifest": 5.0, "blob": 2.0}  # more is better
AT_MOST = {"push": 1 / 1.5, "start": 0.5, "resident": 0.5}  # less is better


def check(results: Results) -> bool:
    """Prints `ok` or `MISS` for each budget and returns whether all were met; one not measured is not met."""
    peer = next((peer for peer in results.peers if peer.name == PEER), None)
    print(f"\nbudgets against {PEER}:")
    verdicts = []
    for column, (heading, _, _) in COLUMNS.items():
        ratio = results.ratio(peer, column) if peer else None
        if column in AT_LEAST:
            wanted, met = f"at least {AT_LEAST[column]:g}", ratio is not None and ratio >= AT_LEAST[column]
        else:
            wanted, met = f"at most {AT_MOST[column]:.3g}", ratio is not None and ratio <= AT_MOST[column]
        measured = "not measured" if ratio is None else f"{ratio:.2f} times"
        print(f"  {'ok  ' if met else 'MISS'}  {heading}: {measured} ({wanted})")
        verdicts.append(met)
    return all(verdicts)
