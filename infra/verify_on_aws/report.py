"""The table at the end, and the JSON file."""

from __future__ import annotations

import json
import shutil
import textwrap
import time

HEADINGS = ("question", "observation", "consequence")


class Secrets:
    """What must not be in a file that people attach to an issue."""

    def __init__(self, *pairs: tuple):
        self.pairs = sorted(((text, name) for text, name in pairs if text), key=lambda pair: -len(pair[0]))

    def without(self, document):
        """The same document of lists, objects and strings. Before it is JSON, which escapes characters of a secret."""
        if isinstance(document, dict):
            return {key: self.without(value) for key, value in document.items()}
        if isinstance(document, (list, tuple)):
            return [self.without(value) for value in document]
        if isinstance(document, str):
            for secret, name in self.pairs:
                document = document.replace(secret, f"<{name}>")
        return document


def table(rows: list, headings=HEADINGS, width: int = 0) -> str:
    """Columns of equal width, each cell wrapped."""
    width = width or min(max(shutil.get_terminal_size((120, 40)).columns, 80), 160)
    each = (width - 3 * (len(headings) - 1)) // len(headings)
    rule = "-+-".join("-" * each for _ in headings)
    printed = [" | ".join(f"{heading:{each}}" for heading in headings).rstrip(), rule]
    for row in rows:
        cells = [textwrap.wrap(cell, each) or [""] for cell in row]
        for number in range(max(map(len, cells))):
            printed.append(
                " | ".join(f"{cell[number] if number < len(cell) else '':{each}}" for cell in cells).rstrip()
            )
        printed.append(rule)
    return "\n".join(printed)


def rows(findings: list) -> list:
    """Question with its front end, observation with its verdict, consequence."""
    return [
        (f"[{found.front}] {found.question}", f"{found.observation} ({found.verdict()})", found.consequence)
        for found in findings
    ]


def write(path: str, secrets: Secrets, findings: list, **rest) -> None:
    document = {
        "format": 1,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **rest,
        "findings": [found.as_json() for found in findings],
    }
    with open(path, "w") as file:
        file.write(json.dumps(secrets.without(document), indent=2, ensure_ascii=False) + "\n")
