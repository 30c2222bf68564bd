"""Imports run one way: nouns ← activities ← pipeline ← api, cli, processes; activities do not import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "hauberk"

NOUNS = {"candidate", "certificate", "errors", "mitigation", "operation", "schema", "rule", "transaction", "config", "log", "_native"}
NOUNS |= {
    "certificate_demand",
    "todo",
    "caller",
    "expression",
    "learned_schema",
    "learning_state",
    "schema_places",
    "security_event",
    "session_identifier",
    "template_rule",
    "tunable",
    "turns",
}
ACTIVITIES = {"access", "alerting", "discovery", "learning", "pki", "snapshot", "storage", "traffic"}
# What a part may import besides nouns and itself.
ALLOWED = {
    **{noun: set() for noun in NOUNS},
    **{activity: set() for activity in ACTIVITIES},
    "told_settings": set(),
    "holders": set(),
    "gateway": {"snapshot", "told_settings", "traffic"},
    "background": {"holders", "storage"},
    "zone_traffic": {"discovery", "storage"},
    "inventory": {"background", "discovery", "storage", "zone_traffic"},
    "profile_keeping": {"background", "storage", "traffic"},
    "traffic_questions": {"discovery", "inventory", "storage"},
    "capture_reading": {"discovery", "storage", "traffic"},
    "capture_imports": {"capture_reading", "storage", "traffic"},
    "schema_learning": {"background", "profile_keeping", "learning", "storage"},
    "entrance": {"access", "storage"},
    "drift_watch": {"alerting", "learning", "storage"},
    "relaxation": {"learning", "schema_learning", "storage"},
    "held_back": {"profile_keeping"},
    "schema_trial": {"held_back", "learning", "profile_keeping", "schema_learning", "storage", "traffic"},
    "trial_runs": {"holders", "learning", "schema_trial", "storage"},
    "recorded_traffic": {"discovery"},
    "pipeline": {
        "capture_imports",
        "drift_watch",
        "entrance",
        "inventory",
        "recorded_traffic",
        "relaxation",
        "schema_learning",
        "schema_trial",
        "traffic_questions",
        "trial_runs",
        *ACTIVITIES,
    },
    "api": {"capture_imports", "pipeline", "relaxation", "schema_trial", *ACTIVITIES},
    "dashboard": {"access", "entrance"},  # and the REST application, which it is handed
    "serve": {"api", "dashboard", "pipeline", "gateway", *ACTIVITIES},
    "supervise": set(),
    "store_learning": {"traffic"},
    "cli": {"serve", "supervise", "demo", "discovery", "learning", "pki", "store_learning", "traffic"},
    "demo": {"supervise", "cli", "pki", "serve"},
    "__init__": set(),
}


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            package, *rest = name.split(".")
            if package == "hauberk" and rest and (SOURCE / rest[0]).exists() | (SOURCE / f"{rest[0]}.py").exists() | (rest[0] == "_native"):
                yield getattr(node, "lineno", 0), rest[0]


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(SOURCE)) for path in FILES])
def test_a_file_imports_only_what_stands_below_it(path: Path) -> None:
    part = part_of(path)
    assert part in ALLOWED, f"{part} is new: say in this test what it may import"
    may = ALLOWED[part] | NOUNS | {part}
    wrong = [f"line {line}: {imported}" for line, imported in imported_parts(path) if imported not in may]
    assert not wrong
