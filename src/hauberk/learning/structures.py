"""Patterns of identifiers: texts that are all built alike, such as `id12345-a`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hauberk.learning.choice import Basis, Option
from hauberk.learning.looks import Place
from hauberk.learning.priors import prior
from hauberk.learning.trust import Trust

_CLASSES = {"lower": "[a-z]", "upper": "[A-Z]", "digit": "[0-9]"}


def option(value: Mapping[str, Any], place: Place, basis: Basis, trust: Trust, risk: float) -> Option | None:
    """Say how all texts are built, if they are built alike and there is more to say than their characters."""
    runs, left_out = common(value["texts"]["structures"], trust)
    if not runs or len(runs) < 2 or all(run["text"] is not None for run in runs):
        return None
    if any(run["class"] in {"space", "line-break", "control", "letter", "other"} for run in runs):
        return None
    is_fixed = all(run["text"] is not None or run["least"] == run["most"] for run in runs)
    has_text = any(run["text"] is not None and run["class"] in _CLASSES for run in runs)
    extras = [f"fixed:{is_fixed}", f"text:{has_text}", f"runs:{min(len(runs), 5)}"]
    known = prior("structure", [place.location, f"look:{place.look}", f"word:{place.word}", *extras])
    statistic = f"{basis.samples} texts built alike" + (f", {left_out} of few callers left out" if left_out else "")
    return Option.by(known, "pattern", pattern(runs), basis.samples, risk, statistic)


def common(structures: Sequence[Mapping[str, Any]] | None, trust: Trust) -> tuple[Sequence[Mapping[str, Any]] | None, int]:
    """The one structure that all texts have which are to be believed, and how many others were left out."""
    if not structures:
        return None, 0
    among = sum(structure["support"]["sources"] for structure in structures)
    kept = [structure for structure in structures if not trust.is_fringe(structure["support"], among)]
    return (kept[0]["runs"], len(structures) - 1) if len(kept) == 1 else (None, 0)


def pattern(runs: Sequence[Mapping[str, Any]]) -> str:
    """Write runs as a regular expression; those of different lengths may have any."""
    return "^" + "".join(_run(run) for run in runs) + "$"


def _run(run: Mapping[str, Any]) -> str:
    kind = run["class"]
    if kind not in _CLASSES:
        return re.sub(r"([^0-9A-Za-z_])", r"\\\1", kind) if kind not in "-@,:=~" else kind
    if run["text"] is not None:
        return str(run["text"])
    if run["least"] == run["most"]:
        return f"{_CLASSES[kind]}{{{run['least']}}}" if run["least"] > 1 else _CLASSES[kind]
    return f"{_CLASSES[kind]}+"
