"""Count what the captures hold: `counts.json` for programs, `COUNTS.md` for people."""

import json
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from application import Application

_LABELS = ("api", "web", "ambiguous")


def write_counts(applications: Mapping[str, Application], captures: Path, folder: Path) -> None:
    """Read every capture of the table's applications and write both files into `folder`."""
    found = {name: captures / f"{name}.ndjson.zst" for name in sorted(applications)}
    counts = {name: _count(applications[name], path) for name, path in found.items() if path.exists()}
    (folder / "counts.json").write_text(json.dumps(counts, indent=1) + "\n")
    (folder / "COUNTS.md").write_text(_page(counts))


def _count(app: Application, capture: Path) -> dict[str, Any]:
    lines = subprocess.run(["zstd", "-dcq", capture], check=True, capture_output=True).stdout.splitlines()
    records = [json.loads(line) for line in lines]
    return {
        "stack": app.stack,
        "packages": list(app.packages),
        "transactions": len(records),
        "labels": dict(Counter(record["label"] for record in records)),
        "resource_types": dict(sorted(Counter(record["resource_type"] for record in records).items())),
        "methods": dict(sorted(Counter(record["method"] for record in records).items())),
    }


def _page(counts: dict[str, dict[str, Any]]) -> str:
    labels: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for entry in counts.values():
        labels.update(entry["labels"])
        types.update(entry["resource_types"])
    lines = [
        "# What was recorded",
        "",
        f"{len(counts)} applications, {sum(labels.values()):,} transactions: "
        + ", ".join(f"{labels[name]:,} {name}" for name in _LABELS)
        + ".",
        "By resource type: " + ", ".join(f"{name} {count:,}" for name, count in types.most_common()) + ".",
        "",
        "Written by `record.py`; exact repetitions are left out, and each application gives at most a few hundred.",
        "",
        "| application | stack | packages | transactions | api / web / ambiguous | by resource type |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, entry in counts.items():
        by_label = " / ".join(str(entry["labels"].get(label, 0)) for label in _LABELS)
        by_type = ", ".join(f"{kind} {count}" for kind, count in sorted(entry["resource_types"].items(), key=lambda pair: -pair[1]))
        lines.append(f"| {name} | {entry['stack']} | {', '.join(entry['packages'])} | {entry['transactions']} | {by_label} | {by_type} |")
    return "\n".join(lines) + "\n"
