"""One split judged by some judges: false positives, detection of mutants, and what is in the way of either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.learning.corpora import Corpus, Row, Split
from benchmarks.learning.documents import Operation, nameless, official
from benchmarks.learning.judging import Judge, Verdict
from benchmarks.learning.mutate import Mutant, mutants, observe
from benchmarks.learning.places import Request
from benchmarks.learning.templates import templates

AS_SHIPPED = "hauberk, priors as shipped"
"""A judge beside `hauberk`, whose priors have not seen the API."""

SIZES = (1, 5, 20, 50, 100, 200)
"""Where the groups by training samples begin."""


@dataclass
class Tally:
    """What one judge said in one split."""

    held_out: Counter[str] = field(default_factory=Counter)
    """Requests by `outcome` and by `outcome/size`; `by gateway`: refused before an operation is looked up, so by no schema."""

    mutants: Counter[tuple[str, str, str, str, str, str, str]] = field(default_factory=Counter)
    """By kind, detail, location, restraint, size, whether the official document refuses it, and outcome."""

    false_positives: list[dict[str, Any]] = field(default_factory=list)
    missed: list[dict[str, Any]] = field(default_factory=list)
    """Mutants that passed, for developers; they hold values."""


def size_of(samples: int) -> str:
    """Name the group of an operation by its training samples: `20-49`."""
    found = 0
    for number, size in enumerate(SIZES):
        if samples >= size:
            found = number + 1
    if found == 0:
        return "0"
    return f"{SIZES[found - 1]}-{SIZES[found] - 1}" if found < len(SIZES) else f"{SIZES[-1]}+"


def broken(corpus: Corpus, everything: Sequence[Row], split: Split, seed: int) -> list[tuple[int, Mutant]]:
    """Break the held-out requests; each mutant comes with the number of the request it was made of."""
    requests = _requests(everything, everything)
    seen = observe(requests)
    made: list[tuple[int, Mutant]] = []
    for number, request in enumerate(_requests(everything, split.held_out)):
        made += [(number, mutant) for mutant in mutants(request, documented(corpus, request), seen, seed)]
    return made


def _requests(everything: Sequence[Row], rows: Sequence[Row]) -> list[Request]:
    return [Request(row, template) for row, template in zip(rows, templates(everything, rows), strict=True)]


def documented(corpus: Corpus, request: Request) -> Operation | None:
    """Find what the official document says of a request's operation."""
    name = corpus.documents.get(request.row.get("template_api", ""))
    if name is None or request.row.get("template_method_mismatch") or request.template is None:
        return None
    return official(name).operations.get((request.row["method"], nameless(request.template)))


def judged(
    judge: Judge, split: Split, made: Sequence[tuple[int, Mutant]], refused_officially: Sequence[str], sizes: Mapping[str | None, int]
) -> Tally:
    """
    Judge what was held out, and mutants of what conforms.

    Args:
        judge: A judge that learned from the split's training part, or that needs no learning.

        split: The split.

        made: Mutants with the number of their request.

        refused_officially: For each mutant, the official document's outcome, `unknown` where there is none.

        sizes: Training samples by operation as the judge names it.
    """
    tally = Tally()
    verdicts = judge.judge(split.held_out)
    for row, verdict in zip(split.held_out, verdicts, strict=True):
        if verdict.violations and verdict.operation is None:
            tally.held_out["by gateway"] += 1
            continue
        size = size_of(sizes.get(verdict.operation, 0))
        tally.held_out[verdict.outcome] += 1
        tally.held_out[f"{verdict.outcome}/{size}"] += 1
        if verdict.outcome == "refused":
            tally.false_positives.append(_shown(row, verdict, sizes))
    usable = [
        (mutant, officially)
        for (number, mutant), officially in zip(made, refused_officially, strict=True)
        if verdicts[number].outcome == "passed"
    ]
    base = [verdicts[number] for number, _ in made if verdicts[number].outcome == "passed"]
    outcomes = judge.judge([mutant.row for mutant, _ in usable])
    for (mutant, officially), before, verdict in zip(usable, base, outcomes, strict=True):
        size = size_of(sizes.get(before.operation, 0))
        tally.mutants[mutant.kind, mutant.detail, mutant.location, mutant.restraint, size, officially, verdict.outcome] += 1
        if verdict.outcome != "refused":
            tally.missed.append(
                {
                    "operation": before.operation,
                    "samples": sizes.get(before.operation, 0),
                    "kind": mutant.kind,
                    "detail": mutant.detail,
                    "location": mutant.location,
                    "name": mutant.name,
                    "restraint": mutant.restraint,
                    "officially": officially,
                    "outcome": verdict.outcome,
                    "url": mutant.row["url"][:300],
                }
            )
    return tally


def _shown(row: Row, verdict: Verdict, sizes: Mapping[str | None, int]) -> dict[str, Any]:
    return {
        "operation": verdict.operation,
        "samples": sizes.get(verdict.operation, 0),
        "violations": [dict(violation) for violation in verdict.violations[:4]],
        "method": row["method"],
        "url": row["url"][:500],
        "body": (row.get("request_body") or "")[:1_500],
        "file": row["file"],
    }
