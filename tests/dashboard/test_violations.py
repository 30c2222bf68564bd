"""Violations in words: for all that the engine can find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hauberk.dashboard.violations import KINDS, in_words

OPENAPI = Path(__file__).parents[2] / "crates" / "openapi" / "src"


@pytest.mark.parametrize(
    ("error_class", "error_detail", "words"),
    [
        ("constraint_violation", "forbidden_value", "not declared: nothing like it may be here"),
        ("invalid_type", "expected:number", "not of the type number"),
        ("invalid_type", "expected:one_of", "of none of the types allowed"),
        ("constraint_violation", "format_violation:date-time", "not of the format date-time"),
        ("missing_required", None, "it is required, and missing"),
        ("of another version", "unheard of", ""),
    ],
)
def test_a_violation_is_said_in_words(error_class: str, error_detail: str | None, words: str) -> None:
    assert in_words({"error_class": error_class, "error_detail": error_detail}) == words


def test_all_that_the_engine_finds_has_words() -> None:
    """The table in the engine's `finding.rs`, and its classes."""
    table = re.findall(r"//! \|.*\| `constraint_violation` \| (.*?) \|", (OPENAPI / "schema" / "finding.rs").read_text())
    details = [detail for cell in table for detail in re.findall(r"`([a-z_:<>]+)`", cell)]
    assert len(details) > 15
    assert [detail for detail in details if not in_words({"error_class": "constraint_violation", "error_detail": detail})] == []
    classes = set(re.findall(r'=> "([a-z_]+)"', (OPENAPI / "violation.rs").read_text())) - {"path", "query", "header", "cookie", "body"}
    assert classes - {"constraint_violation"} <= set(KINDS)
