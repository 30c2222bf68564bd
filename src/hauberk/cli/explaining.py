"""How it is printed why a path has the template it has, wherever the explanation comes from."""

from __future__ import annotations

from typing import Any

from hauberk.cli.output import Output, printable


def print_explanation(out: Output, explanation: dict[str, Any]) -> None:
    """Print an explanation for people: members by name, lists item by item; as JSON it is printed whole."""
    if out.as_json:
        out.json(explanation)
        return
    for line in _lines(explanation):
        out.line(line)


def _lines(explanation: Any, indent: str = "") -> list[str]:
    if isinstance(explanation, dict):
        lines: list[str] = []
        for name, value in explanation.items():
            label = printable(name).replace("_", " ")
            nested = isinstance(value, dict | list) and value
            lines += [f"{indent}{label}:", *_lines(value, indent + "  ")] if nested else [f"{indent}{label}: {printable(value)}"]
        return lines
    if isinstance(explanation, list):
        return [line for item in explanation for line in _marked(_lines(item, indent + "  "), indent)]
    return [f"{indent}{printable(explanation)}"]


def _marked(lines: list[str], indent: str) -> list[str]:
    return [f"{indent}- {lines[0].strip()}", *lines[1:]] if lines else []
