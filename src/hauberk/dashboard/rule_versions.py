"""What a visitor saw of the rules, and what others changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Present:
    """The rules as they are."""

    id: str
    """The ruleset's id; empty before it is first written."""

    version: int

    rules: list[dict[str, Any]]
    """As REST gives them, in their order."""


def seen_text(rules: Sequence[dict[str, Any]]) -> str:
    """Write which rules a page shows, for its form to send back: `id:version id:version …`."""
    return " ".join(f"{rule['id']}:{rule['version']}" for rule in rules)


def differences(seen: str, rules: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any] | None]]:
    """
    Tell what was changed since.

    Args:
        seen: What `seen_text` wrote for the page.

        rules: The rules as they are now.

    Returns:
        Pairs of what became of a rule (`new`, `changed`, `deleted`, `order`) and the rule, where there is one.
    """
    before = dict(entry.split(":", 1) for entry in seen.split() if ":" in entry)
    now = {rule["id"]: rule for rule in rules}
    found: list[tuple[str, dict[str, Any] | None]] = []
    for rule in rules:
        if rule["id"] not in before:
            found.append(("new", rule))
        elif rule["version"] != before[rule["id"]]:
            found.append(("changed", rule))
    found += [("deleted", None)] * len(before.keys() - now.keys())
    if [id_ for id_ in before if id_ in now] != [id_ for id_ in now if id_ in before]:
        found.append(("order", None))
    return found
