"""How it is printed why a path has the template it has, wherever the explanation comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from hauberk.cli.output import Cell, Output, printable


def _numbered() -> Callable[[Mapping[str, Any]], str]:
    """Write variables, which explanations leave nameless, as endpoints number them: from the left."""
    numbers = count(1)
    return lambda segment: re.sub(r"\{\}", lambda _: f"{{var{next(numbers)}}}", segment["text"])


def print_explanation(out: Output, explanation: dict[str, Any], *, pinned: str) -> None:
    """
    Print the template of a path, and segment by segment why; as JSON it is printed whole.

    Args:
        out: Where.

        explanation: As discovery gives it: `method`, `host`, `endpoint`, `pinned`, `segments`.

        pinned: What to say of a template that the owner has laid down.
    """
    if out.as_json:
        out.json(explanation)
        return
    out.line(printable(f"{explanation['method']} {explanation['host']}{explanation['endpoint']}"))
    if explanation["pinned"]:
        out.line(pinned)
    columns: dict[str, Cell] = {
        "SEGMENT": _numbered(),
        "IS": lambda segment: "a variable" if segment["variable"] else "a word",
        "VALUES": "distinct_values",
        "LIKELIHOOD": lambda segment: f"{segment['likelihood']:.2f}",
        "WHY": lambda segment: "; ".join(segment["reasons"]),
    }
    out.table(explanation["segments"], columns, empty="the path has no segments")
