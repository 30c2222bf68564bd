"""Compares what was learned with what the official document says, place by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.learning.documents import Document, Facts, Operation

DEEPEST = 8
"""Members below that are not compared: recursive schemas have no end."""


@dataclass
class Agreement:
    """Counts of statements, and those that disagree."""

    counts: Counter[str] = field(default_factory=Counter)
    """
    `types agree`, `types differ`, `types found`, `types documented`, the same of `null`, `enum` and `formats`; `… silent` counts what
    the document says nothing of.
    """

    differences: list[dict[str, Any]] = field(default_factory=list)

    def add(self, subject: str, where: tuple[str, str, str], outcome: str, learned: Any, documented: Any) -> None:
        """Count a statement; one that does not agree is listed."""
        self.counts[f"{subject} {outcome}"] += 1
        if outcome != "agree":
            operation, location, name = where
            self.differences.append(
                {
                    "subject": subject,
                    "outcome": outcome,
                    "operation": operation,
                    "location": location,
                    "name": name,
                    "learned": learned,
                    "documented": documented,
                }
            )


def compare(learned: Iterable[Mapping[str, Any]], official: Sequence[Document]) -> Agreement:
    """
    Compare the operations that both sides have; templates are equal if they are but for the names of variables.

    Args:
        learned: Documents that were learned.

        official: Of these, the first that has an operation is what the operation is compared with.
    """
    agreement = Agreement()
    for content in learned:
        for (method, template), operation in Document(content).operations.items():
            other = next(
                (document.operations[method, template] for document in official if (method, template) in document.operations), None
            )
            if other is None:
                agreement.counts["operations apart"] += 1
                continue
            agreement.counts["operations compared"] += 1
            for location, name, found, documented, required in _pairs(operation, other):
                where = (f"{operation.method} {operation.endpoint}", location, name)
                if documented is None:
                    agreement.counts[f"{location} undeclared"] += 1
                    continue
                _types(agreement, where, found, documented)
                _enum(agreement, where, found, documented)
                _formats(agreement, where, found, documented)
                _required(agreement, found, documented, required)
    return agreement


def _pairs(learned: Operation, official: Operation) -> Iterator[tuple[str, str, Facts, Facts | None, tuple[bool, bool] | None]]:
    for (location, name), parameter in learned.parameters.items():
        other = official.parameters.get((location, name)) or official.parameters.get((location, name.lower()))
        documented = official.document.facts_of_text(other.schema) if other else None
        required = (parameter.is_required, other.is_required) if other and location != "path" else None
        yield location, name, learned.document.facts_of_text(parameter.schema), documented, required
    for media_type, schema in learned.bodies.items():
        if "json" not in media_type:
            continue
        alternatives = learned.document.alternatives(schema)
        for name, found in _below(learned.document, alternatives, "", 0):
            yield "body", name or "$", found, official.body_facts(name or "$"), None


def _below(document: Document, alternatives: list[Any], name: str, depth: int) -> Iterator[tuple[str, Facts]]:
    yield name, document.facts_of({"anyOf": alternatives} if alternatives else {})
    if depth == DEEPEST:
        return
    steps = {step for schema in alternatives for step in schema.get("properties", ())}
    steps |= {"*" for schema in alternatives if isinstance(schema.get("items"), Mapping)}
    for step in sorted(steps):
        yield from _below(document, document.below(alternatives, step), f"{name}/{step}" if name else step, depth + 1)


def _types(agreement: Agreement, where: tuple[str, str, str], found: Facts, documented: Facts) -> None:
    if documented.types is None:
        agreement.counts["types silent"] += len(found.types or ())
        return
    if "null" in (found.types or ()):
        agreement.add(
            "null", where, "agree" if "null" in documented.types else "differ", sorted(found.types or ()), sorted(documented.types)
        )
    for name in sorted((found.types or frozenset()) - {"null"}):
        agrees = name in documented.types or (name == "integer" and "number" in documented.types)
        agreement.add("types", where, "agree" if agrees else "differ", sorted(found.types or ()), sorted(documented.types))
    covered = found.types or frozenset()
    agreement.counts["types documented"] += len(documented.types - {"null"})
    # Where nothing is stated, nothing was found.
    agreement.counts["types found"] += sum(
        name in covered or (name == "number" and "integer" in covered) for name in documented.types - {"null"}
    )


def _enum(agreement: Agreement, where: tuple[str, str, str], found: Facts, documented: Facts) -> None:
    for value in found.enum or ():
        if documented.enum is None:
            outcome = "differ" if documented.types is not None and not _fits(value, documented.types) else "silent"
        else:
            outcome = "agree" if value in documented.enum or value is None else "differ"
        agreement.add("enum", where, outcome, value, None if documented.enum is None else list(documented.enum)[:12])
    if documented.enum is not None:
        agreement.counts["enum documented"] += len(documented.enum)
        agreement.counts["enum found"] += sum(value in documented.enum for value in found.enum or ())


def _fits(value: Any, types: frozenset[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, int | float):
        return bool(types & {"integer", "number"})
    return value is None or "string" in types


def _formats(agreement: Agreement, where: tuple[str, str, str], found: Facts, documented: Facts) -> None:
    wanted = {_family(name) for name in documented.formats - {""}}
    for name in sorted(found.formats - {""}):
        outcome = (
            "agree"
            if _family(name) in wanted
            else "differ"
            if wanted or (documented.types and "string" not in documented.types)
            else "silent"
        )
        agreement.add("formats", where, outcome, name, sorted(documented.formats))
    agreement.counts["formats documented"] += len(wanted)
    agreement.counts["formats found"] += len(wanted & {_family(name) for name in found.formats})


def _family(name: str) -> str:
    return "uri" if name in ("uri-reference", "iri", "iri-reference", "url") else name


def _required(agreement: Agreement, found: Facts, documented: Facts, both: tuple[bool, bool] | None) -> None:
    if both is not None:
        agreement.counts["required stated"] += both[0]
        agreement.counts["required agreed"] += both[0] and both[1]
        agreement.counts["required documented"] += both[1]
        return
    agreement.counts["required stated"] += len(found.required)
    agreement.counts["required agreed"] += len(found.required & documented.required)
    agreement.counts["required documented"] += len(documented.required)
