"""Tables of what the trials found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.learning.interval import told
from benchmarks.learning.trial import AS_SHIPPED, SIZES, size_of

NOT_FREE = ("integer", "number", "boolean", "enum", "format", "pattern", "path")
"""Restraints of places that are not free text."""

KIND, DETAIL, LOCATION, RESTRAINT, SIZE, OFFICIALLY, OUTCOME, COUNT = range(8)
Mutants = list[list[Any]]
Result = dict[str, Any]


def tables(results: Path) -> str:
    """Write all tables of the results in a folder, as Markdown."""
    found = [json.loads(path.read_text()) for path in sorted(results.glob("*.json"))]
    parts = [
        _false_positives(found),
        _by_size(found),
        _detection(found),
        _attacks(found),
        _structure(found),
        _rivals(found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _false_positives(found: list[Result]) -> str:
    lines = [
        "### False positives: successful requests refused, of those whose operation is known",
        "",
        "| corpus | split | trained on | held out | operation not known | refused | by the gateway itself | refused, priors as shipped | "
        "official document refuses | training traffic refused |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, kind, group in _groups(found):
        lines.append(_false_positive_row(name, kind, group))
    for kind in ("recordings", "time"):
        group = [result for result in found if result["kind"] == kind]
        if group:
            lines.append(_false_positive_row("**all**", kind, group))
    return "\n".join(lines)


def _false_positive_row(name: str, kind: str, group: list[Result]) -> str:
    ours = _added(result["judges"]["hauberk"]["held_out"] for result in group)
    shipped = _added(result["judges"].get(AS_SHIPPED, {}).get("held_out", {}) for result in group)
    theirs = _added(result["judges"].get("official document", {}).get("held_out", {}) for result in group)
    held_out = sum(result["held_out"] for result in group)
    return (
        f"| {name} | {kind} | {_mean(group, 'training')} | {held_out:,} | {_share(ours['unknown'], held_out)} | "
        f"{told(ours['refused'], ours['refused'] + ours['passed'])} | {ours['by gateway']} | "
        f"{told(shipped['refused'], shipped['refused'] + shipped['passed'])} | "
        f"{told(theirs['refused'], theirs['refused'] + theirs['passed'])} | "
        f"{sum(len(result['training_refused']) for result in group)} of {sum(result['training'] for result in group):,} |"
    )


def _by_size(found: list[Result]) -> str:
    lines = [
        "### False positives by training samples of the operation, all corpora",
        "",
        "| split | " + " | ".join(size_of(size) for size in SIZES) + " | all |",
        "|---|" + "---|" * (len(SIZES) + 1),
    ]
    for kind in ("recordings", "time", "clients"):
        ours = _added(result["judges"]["hauberk"]["held_out"] for result in found if result["kind"] == kind)
        if ours:
            cells = [
                told(ours[f"refused/{size_of(size)}"], ours[f"refused/{size_of(size)}"] + ours[f"passed/{size_of(size)}"]) for size in SIZES
            ]
            lines.append(f"| {kind} | " + " | ".join(cells) + f" | {told(ours['refused'], ours['refused'] + ours['passed'])} |")
    return "\n".join(lines)


def _detection(found: list[Result]) -> str:
    wanted: dict[str, Callable[[list[Any]], bool]] = {
        "type": lambda row: row[KIND] == "type",
        "type, path": lambda row: row[KIND] == "type" and row[LOCATION] == "path",
        "type, query": lambda row: row[KIND] == "type" and row[LOCATION] == "query",
        "type, form": lambda row: row[KIND] == "type" and row[LOCATION] == "form",
        "type, JSON body": lambda row: row[KIND] == "type" and row[LOCATION] == "body",
        "range, beyond the document's bound": lambda row: row[KIND] == "range" and "document" in row[DETAIL],
        "range, negative or far out": lambda row: row[KIND] == "range" and "document" not in row[DETAIL],
        "unknown parameter or field": lambda row: row[KIND] == "unknown" and row[DETAIL] in ("parameter", "field"),
        "unknown member": lambda row: row[KIND] == "unknown" and row[DETAIL] not in ("parameter", "field"),
        "missing required": lambda row: row[KIND] == "missing",
        "another word in an enum": lambda row: row[KIND] == "enum",
        "over-long": lambda row: row[KIND] == "long",
        "attack, not free text": lambda row: row[KIND] == "attack" and row[RESTRAINT] in NOT_FREE,
        "attack, free text": lambda row: row[KIND] == "attack" and row[RESTRAINT] == "free",
        "attack, nothing documented": lambda row: row[KIND] == "attack" and row[RESTRAINT] == "undeclared",
        "naughty, not free text": lambda row: row[KIND] == "naughty" and row[RESTRAINT] in NOT_FREE,
        "naughty, free text": lambda row: row[KIND] == "naughty" and row[RESTRAINT] == "free",
    }
    lines = [
        "### Detection: mutants refused, by training samples of the operation",
        "",
        "Splits by recording, all corpora and seeds. In brackets: mutants. `no operation`: of all, those whose path became one that",
        "no operation has, so that the fallthrough rule and not the schema answers; they count as not refused.",
        "",
        "| mutation | "
        + " | ".join(size_of(size) for size in SIZES)
        + " | all | no operation | official document, same mutants | hauberk on these |",
        "|---|" + "---|" * (len(SIZES) + 4),
    ]
    ours = _mutants(found, "hauberk")
    theirs = _mutants(found, "official document")
    beside = [row for row in ours if row[OFFICIALLY] != "unknown"]
    for name, wants in wanted.items():
        chosen = [row for row in ours if wants(row)]
        cells = [_refused(row for row in chosen if row[SIZE] == size_of(size)) for size in SIZES]
        unknown = sum(row[COUNT] for row in chosen if row[OUTCOME] == "unknown")
        lines.append(
            f"| {name} | {' | '.join(cells)} | {_refused(chosen)} | {_share(unknown, sum(row[COUNT] for row in chosen))} | "
            f"{_refused(row for row in theirs if wants(row))} | {_refused(row for row in beside if wants(row))} |"
        )
    return "\n".join(lines)


def _attacks(found: list[Result]) -> str:
    ours = _mutants(found, "hauberk")
    details = sorted({row[DETAIL] for row in ours if row[KIND] == "attack"})
    lines = [
        "### Attack strings and other text, by what the document says of the place",
        "",
        "| place | " + " | ".join(details) + " | naughty | all attacks | with ≥ 20 samples |",
        "|---|" + "---|" * (len(details) + 3),
    ]
    for place in (*NOT_FREE, "free", "undeclared"):
        chosen = [row for row in ours if row[RESTRAINT] == place]
        attacks = [row for row in chosen if row[KIND] == "attack"]
        cells = [_refused(row for row in attacks if row[DETAIL] == detail) for detail in details]
        many = [row for row in attacks if int(row[SIZE].rstrip("+").partition("-")[0]) >= 20]
        naughty = _refused(row for row in chosen if row[KIND] == "naughty")
        lines.append(f"| {place} | {' | '.join(cells)} | {naughty} | {_refused(attacks)} | {_refused(many)} |")
    return "\n".join(lines)


def _structure(found: list[Result]) -> str:
    lines = [
        "### Structure beside the official document",
        "",
        "Precision: of what was learned, what the document says as well; strictly, a value or format where it has none counts too.",
        "Recall: of what the document says of the places seen, what was learned.",
        "",
        "| corpus | operations | types: precision, recall; null beyond the document | enum values: precision, strictly, recall | "
        "formats: precision, strictly, recall | required: stated, documented too |",
        "|---|---|---|---|---|---|",
    ]
    by_corpus: dict[str, Counter[str]] = {}
    for result in found:
        if result["kind"] == "recordings":
            by_corpus.setdefault(result["corpus"], Counter()).update(result["structure"]["counts"])
    for name, counts in [*sorted(by_corpus.items()), ("all", _added(by_corpus.values()))]:
        if counts["operations compared"]:
            required = f"{counts['required stated']}, {_share(counts['required agreed'], counts['required stated'])}"
            cells = [str(counts["operations compared"]), _types(counts), _stated(counts, "enum"), _stated(counts, "formats"), required]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _types(counts: Counter[str]) -> str:
    stated = counts["types agree"] + counts["types differ"]
    nulls = f"{counts['null differ']:,} of {counts['null agree'] + counts['null differ']:,}"
    return f"{_share(counts['types agree'], stated)} of {stated:,}, {_share(counts['types found'], counts['types documented'])}; {nulls}"


def _stated(counts: Counter[str], subject: str) -> str:
    agree, differ, silent = (counts[f"{subject} {outcome}"] for outcome in ("agree", "differ", "silent"))
    return (
        f"{_share(agree, agree + differ)} of {agree + differ:,}, {_share(agree, agree + differ + silent)}, "
        f"{_share(counts[f'{subject} found'], counts[f'{subject} documented'])}"
    )


def _rivals(found: list[Result]) -> str:
    rivals = {(result["corpus"], result["seed"]): result for result in found if result["kind"] == "rivals"}
    if not rivals:
        return ""
    ours = [result for result in found if result["kind"] == "recordings" and (result["corpus"], result["seed"]) in rivals]
    with_rivals = [*ours, *rivals.values()]
    kinds: dict[str, Callable[[list[Any]], bool]] = {
        "type": lambda row: row[KIND] == "type",
        "range": lambda row: row[KIND] == "range",
        "unknown": lambda row: row[KIND] == "unknown",
        "missing": lambda row: row[KIND] == "missing",
        "enum": lambda row: row[KIND] == "enum",
        "over-long": lambda row: row[KIND] == "long",
        "attack, not free text": lambda row: row[KIND] == "attack" and row[RESTRAINT] in NOT_FREE,
        "attack, other": lambda row: row[KIND] == "attack" and row[RESTRAINT] not in NOT_FREE,
        "naughty": lambda row: row[KIND] == "naughty",
    }
    lines = [
        "### Other programs, same split and mutants",
        "",
        "Mutants of requests that the program itself accepts; the fewer these are, the less the shares say.",
        "",
        "| program | false positives | operation not known | " + " | ".join(kinds) + " | mutants |",
        "|---|---|---|" + "---|" * (len(kinds) + 1),
    ]
    names = sorted({name for result in with_rivals for name in result["judges"]}, key=lambda name: (name != "hauberk", name))
    for name in names:
        group = [result for result in with_rivals if name in result["judges"]]
        counts = _added(result["judges"][name]["held_out"] for result in group)
        rows = _mutants(group, name, kind=None)
        cells = [_refused((row for row in rows if wants(row)), counted=False) for wants in kinds.values()]
        total = counts["refused"] + counts["passed"]
        lines.append(
            f"| {name} | {told(counts['refused'], total)} | {_share(counts['unknown'], total + counts['unknown'])} | {' | '.join(cells)} | "
            f"{sum(row[COUNT] for row in rows):,} |"
        )
    return "\n".join(lines)


def _groups(found: list[Result]) -> list[tuple[str, str, list[Result]]]:
    keys = sorted(
        {(result["corpus"], result["kind"]) for result in found if result["kind"] != "rivals"},
        key=lambda key: (key[1] != "recordings", key[1], key[0]),
    )
    return [(name, kind, [result for result in found if (result["corpus"], result["kind"]) == (name, kind)]) for name, kind in keys]


def _mutants(found: list[Result], judge: str, kind: str | None = "recordings") -> Mutants:
    return [
        row for result in found if kind in (None, result["kind"]) if judge in result["judges"] for row in result["judges"][judge]["mutants"]
    ]


def _refused(rows: Iterable[list[Any]], *, counted: bool = True) -> str:
    by_outcome: Counter[str] = Counter()
    for row in rows:
        by_outcome[row[OUTCOME]] += row[COUNT]
    total = by_outcome.total()
    if not total:
        return "-"
    return f"{by_outcome['refused'] / total * 100:.1f} %" + (f" ({total:,})" if counted else "")


def _added(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return total


def _mean(group: list[Result], name: str) -> str:
    return f"{sum(result[name] for result in group) / len(group):,.0f}"


def _share(hits: int, of: int) -> str:
    return f"{hits / of * 100:.1f} %" if of else "-"
