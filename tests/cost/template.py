"""How much memory template.yaml gives the functions: what Lambda's time is paid by."""

import re

from registries import ROOT, Failed

FILE = ROOT / "template.yaml"


def memory() -> tuple[int, int]:
    """Megabytes of the registry's function, by default, and of the maintenance's."""
    text = FILE.read_text()
    return (
        _number(text, r"^  MemorySize:\n    Type: Number\n    Default: (\d+)$", "the default of parameter MemorySize"),
        _number(text, r"^      Handler: maintenance\n      MemorySize: (\d+)\b", "MemorySize of the maintenance"),
    )


def _number(text: str, pattern: str, what: str) -> int:
    found = re.findall(pattern, text, re.MULTILINE)
    if len(found) != 1:
        raise Failed(f"{FILE.name}: {what} is not where tests/cost/template.py looks for it")
    return int(found[0])
