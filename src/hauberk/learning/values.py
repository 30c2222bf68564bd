"""What can be said of a value at one place: of a node of a body, or of a parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hauberk.learning import kinds, objects, texts
from hauberk.learning.bounds import number_options, upper_options
from hauberk.learning.choice import Basis, Choice, Ledger
from hauberk.learning.draft import Draft
from hauberk.learning.looks import Place
from hauberk.learning.trust import Trust


@dataclass(frozen=True, slots=True)
class Study:
    """What is the same for all places of an operation."""

    ledger: Ledger
    trust: Trust
    risk: float

    samples: int
    """Of the operation."""

    days: int

    def basis(self, support: Mapping[str, int]) -> Basis:
        """What statements rest on that so many requests bear out."""
        share = min(1.0, (support["samples"] + 0.5) / (self.samples + 1))
        samples = min(support["samples"], support["requests"])  # many samples are estimated
        return Basis(samples, support["sources"], min(self.days, support["requests"]), share)


def draft(study: Study, node: Mapping[str, Any], place: Place, support: Mapping[str, int]) -> Draft:
    """
    Say what can be said of a place.

    Args:
        study: The operation.

        node: What is known of the values.

        place: Where.

        support: Of requests that have a value here.
    """
    value = node["value"]
    made = Draft(place.pointer)
    if value.get("secret"):
        return _secret(study, made, value, place, support)
    basis = study.basis(support)
    believed, left_out = kinds.believed(value, study.trust)
    if place.is_text and believed <= {"null", "boolean", "integer", "number", "string"}:
        believed = kinds.of_text(believed, _longest(value))
    options = list(kinds.options(believed, place, basis, study.risk, left_out))
    if not options:
        return made
    made.kinds = study.ledger.choose(place.pointer, basis, options)
    made.is_any_text = place.location in {"path", "query", "header", "cookie"} and "string" not in believed
    # In text the widest kind is a string, which says nothing.
    made.kinds.is_always_made = not place.is_text and bool(made.kinds.options)
    # Sooner or later null comes beside the rest. To refuse it stops nothing else, so it takes more to say so.
    made.kinds.is_hedged = not place.is_text and "null" not in believed
    _say_more(study, made, value, place, basis)
    if node.get("items") and "array" in believed:
        items = node["items"]
        inner = draft(study, items, place.of_items(), _all_kinds(items["value"], support))
        made.items = inner.within(made.kinds, "array") if inner.kinds else None
    if node.get("object") and "object" in believed:
        made.members = objects.draft(study, node["object"], place, made.kinds)
    return made


def _secret(study: Study, made: Draft, value: Mapping[str, Any], place: Place, support: Mapping[str, int]) -> Draft:
    """Say that a secret of a form or parameter is text; in JSON, where masking makes text of numbers too, nothing is said."""
    if place.is_text and set(value["kinds"]) <= {"boolean", "integer", "number", "string"}:
        options = list(kinds.options(frozenset({"string"}), place, study.basis(support), study.risk, 0))
        made.kinds = study.ledger.choose(place.pointer, study.basis(support), options)
    return made


def _say_more(study: Study, made: Draft, value: Mapping[str, Any], place: Place, basis: Basis) -> None:
    """Say what there is to say of texts, numbers and lists."""
    found = value["kinds"]
    texts_basis = basis if place.is_text else replace(basis, samples=found.get("string", {"samples": 0})["samples"])
    strings = sum(support["requests"] for kind, support in found.items() if kind not in {"array", "object", "null"}) if place.is_text else 0
    strings = strings or found.get("string", {"requests": 0})["requests"]
    shape = _choose(
        study, made, "string", made.texts, list(texts.shapes(value, strings, place, texts_basis, study.trust, study.risk)), texts_basis
    )
    for options in texts.lengths(value, place, texts_basis, study.trust, study.risk):
        _choose(study, made, "string", made.texts, options, texts_basis, unless=shape)
    if value.get("numbers"):
        distinct = value["distinct"]
        for options in number_options(value["numbers"], place, basis, study.trust, study.risk, distinct):
            _choose(study, made, "number", made.numbers, options, basis)
    if value.get("counts") and "array" in found:
        options = list(upper_options("maxItems", value["counts"], place, basis, study.trust, study.risk, smallest=16))
        _choose(study, made, "array", made.counts, options, basis)


def _choose(
    study: Study, made: Draft, kind: str, into: list[Choice], options: list[Any], basis: Basis, unless: Choice | None = None
) -> Choice | None:
    if made.kinds is None or not options or not basis.samples:
        return None
    choice = study.ledger.choose(made.pointer, basis, options)
    choice.only_with = (made.kinds, frozenset({"integer", "number"} if kind == "number" else {kind}))
    choice.unless = unless
    into.append(choice)
    return choice


def _longest(value: Mapping[str, Any]) -> int:
    found = value.get("lengths")
    return int(found["high"][0][0]) if found and found["high"] else 0


def _all_kinds(value: Mapping[str, Any], within: Mapping[str, int]) -> Mapping[str, int]:
    """The support of a value of any kind, at most that of what it is in."""
    sums = {"requests": 0, "samples": 0, "sources": 0}
    for support in value["kinds"].values():
        for key in sums:
            sums[key] += support[key]
    return {key: min(sums[key], within[key]) for key in sums}
