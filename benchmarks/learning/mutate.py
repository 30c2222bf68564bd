"""
Break one thing in a good request.

What counts as broken is known from outside: from the official document where there is one, else from the whole corpus (never from what was
learned). A mutation of something the document allows (a string in a `title` that may be a number as well) is not made.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.learning.attacks import attack_strings, naughty_strings
from benchmarks.learning.corpora import Row
from benchmarks.learning.documents import Facts, Operation
from benchmarks.learning.places import Place, Request

MOST_OF_A_KIND = 8
"""Mutants of one kind that a request yields at most, so that one deep body does not outweigh all others; drawn by the seed."""

PROBE = "zz_probe"
"""The name of what should not be there; it is in none of the corpora."""

LONG = 5_000
"""Characters of an over-long string: beyond what people type into a field, and below the limits of servers on a request line."""

FAR = 10**18
"""A number far out, still within 64 bits."""


@dataclass(frozen=True)
class Mutant:
    """A request with one thing wrong."""

    kind: str
    """What was done: `type`, `range`, `unknown`, `missing`, `enum`, `long`, `attack` or `naughty`."""

    detail: str
    """Finer: `string → number`, `sqli`, …"""

    location: str
    name: str
    restraint: str
    """What the document says of the place: `integer`, `enum`, `path` for a variable without more, `free`, `undeclared`, …"""

    row: Row


@dataclass
class Observed:
    """What the whole corpus holds at a place; stands in where no document says what belongs there."""

    requests: int = 0
    values: set[str] = field(default_factory=set)

    @property
    def type(self) -> str | None:
        """`integer` if it is text that is always a number, with three different ones at least; `boolean` alike."""
        if self.requests >= 3 and self.values <= {"true", "false"}:
            return "boolean"
        return "integer" if len(self.values) >= 3 and all(re.fullmatch(r"-?\d{1,18}", value) for value in self.values) else None


Corpus = dict[tuple[str, str | None, str, str], Observed]
"""By method, template, location and name."""


def observe(requests: Iterable[Request]) -> Corpus:
    """Gather what the corpus holds at each place with text."""
    found: Corpus = defaultdict(Observed)
    for request in requests:
        for place in request.places():
            if place.is_text:
                seen = found[request.row["method"], request.template, place.location, place.name]
                seen.requests += 1
                if len(seen.values) < 1_000:
                    seen.values.add(place.value)
    return found


def mutants(request: Request, operation: Operation | None, corpus: Corpus, seed: int) -> list[Mutant]:
    """
    Break a request in all ways that apply, each mutant in one.

    Args:
        request: A good one.

        operation: What the official document says of its operation, if there is one.

        corpus: From `observe`, for what no document says.

        seed: Two runs with the same seed make the same mutants, whatever other requests there are.
    """
    row = request.row
    digest = hashlib.sha256(json.dumps([seed, row["file"], row["method"], row["url"], row.get("request_body")]).encode()).digest()
    chance = random.Random(int.from_bytes(digest[:8], "big"))
    by_kind: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in _Breaker(request, operation, corpus, chance).all():
        by_kind[mutant.kind].append(mutant)
    return [
        mutant for made in by_kind.values() for mutant in (made if len(made) <= MOST_OF_A_KIND else chance.sample(made, MOST_OF_A_KIND))
    ]


class _Breaker:
    def __init__(self, request: Request, operation: Operation | None, corpus: Corpus, chance: random.Random) -> None:
        self.request = request
        self.operation = operation
        self.chance = chance
        self.known: list[tuple[Place, Facts | None]] = []
        variables = 0
        for place in request.places():
            position = None
            if place.location == "path":
                position, variables = variables, variables + 1
            facts = operation.facts(place, position) if operation else None
            if facts is None and place.is_text:
                seen = corpus.get((request.row["method"], request.template, place.location, place.name))
                facts = Facts(frozenset({seen.type})) if seen and seen.type else None
            self.known.append((place, facts))

    def all(self) -> Iterator[Mutant]:
        for place, facts in self.known:
            yield from self._types(place, facts)
            yield from self._ranges(place, facts)
            yield from self._enum(place, facts)
            yield from self._long(place, facts)
            yield from self._strings(place, facts)
            yield from self._unknown_member(place, facts)
            yield from self._missing(place, facts)
        yield from self._unknown_parameter()

    def _mutant(self, kind: str, detail: str, place: Place, facts: Facts | None, row: Row) -> Mutant:
        return Mutant(kind, detail, place.location, place.name, restraint(place, facts), row)

    def _set(self, kind: str, detail: str, place: Place, facts: Facts | None, value: Any) -> Mutant:
        return self._mutant(kind, detail, place, facts, self.request.with_value(place, value))

    def _types(self, place: Place, facts: Facts | None) -> Iterator[Mutant]:
        if place.is_text:
            if facts and facts.types is not None and "string" not in facts.types:
                for name in ("integer", "number", "boolean"):
                    if name in facts.types:
                        yield self._set("type", f"{name} → word", place, facts, "zzword")
                        return
            return
        came = kind_of(place.value)
        for name, value in _OTHER_TYPES.get(came, ()):
            allowed = facts.types if facts else frozenset({came})
            if allowed is not None and name not in allowed and not (name == "integer" and "number" in allowed):
                yield self._set("type", f"{came} → {name}", place, facts, value)

    def _ranges(self, place: Place, facts: Facts | None) -> Iterator[Mutant]:
        number = _number(place, facts)
        if number is not None:
            low, high = (facts.minimum, facts.maximum) if facts else (None, None)
            if low is not None:
                yield self._set("range", "below the document's minimum", place, facts, _same_form(low - 1))
            elif number >= 0:
                yield self._set("range", "negative", place, facts, -7)
            if high is not None and high < FAR:
                yield self._set("range", "above the document's maximum", place, facts, _same_form(high + 1))
            else:
                yield self._set("range", "far out", place, facts, FAR)
        elif facts and isinstance(place.value, str):
            if facts.max_length is not None and facts.max_length < LONG:
                yield self._set("range", "longer than the document's maxLength", place, facts, "z" * (int(facts.max_length) + 1))
            if facts.min_length and place.location != "path":
                yield self._set("range", "shorter than the document's minLength", place, facts, "z" * (int(facts.min_length) - 1))
        elif facts and facts.max_items is not None and isinstance(place.value, list) and place.value:
            yield self._set("range", "more items than the document's maxItems", place, facts, place.value[:1] * (int(facts.max_items) + 1))

    def _enum(self, place: Place, facts: Facts | None) -> Iterator[Mutant]:
        if facts is None or facts.enum is None or not isinstance(place.value, str):
            return
        word = "".join(self.chance.choice("bcdfghjklmnpqrstvwxz") for _ in range(max(4, len(place.value))))
        yield self._set("enum", "another word", place, facts, word)

    def _long(self, place: Place, facts: Facts | None) -> Iterator[Mutant]:
        if isinstance(place.value, str) and place.value and _number(place, facts) is None:
            yield self._set("long", "string", place, facts, (place.value * (LONG // len(place.value) + 1))[:LONG])
        elif isinstance(place.value, list) and 0 < len(json.dumps(place.value)) < 2_000:
            yield self._set("long", "array", place, facts, (place.value * 1_000)[:1_000])

    def _strings(self, place: Place, facts: Facts | None) -> Iterator[Mutant]:
        if isinstance(place.value, list | dict | None):
            return
        for category, strings in attack_strings().items():
            yield self._set("attack", category, place, facts, self.chance.choice(strings))
        yield self._set("naughty", "naughty", place, facts, self.chance.choice(naughty_strings()))

    def _unknown_member(self, place: Place, facts: Facts | None) -> Iterator[Mutant]:
        if isinstance(place.value, dict) and place.value and not (facts and facts.is_map):
            depth = "member" if place.name == "$" else "nested member"
            yield self._mutant("unknown", depth, place, facts, self.request.with_member(place, PROBE, "zz"))

    def _unknown_parameter(self) -> Iterator[Mutant]:
        for location in ("query", "form") if self.request.has_form else ("query",):
            row = self.request.with_pair(location, PROBE, "zz")
            yield Mutant("unknown", "field" if location == "form" else "parameter", location, PROBE, "undeclared", row)

    def _missing(self, place: Place, facts: Facts | None) -> Iterator[Mutant]:
        if self.operation is None:
            return
        if place.location == "query":
            declared = self.operation.parameters.get(("query", place.name))
            if declared and declared.is_required:
                yield self._mutant("missing", "parameter", place, facts, self.request.without(place))
        elif isinstance(place.value, dict) and facts and not place.is_text:
            for name in sorted(facts.required & place.value.keys()):
                member = Place("body", (*place.steps, name), name, place.value[name])
                yield self._mutant("missing", "member", member, facts, self.request.without(member))


_OTHER_TYPES: dict[str, tuple[tuple[str, Any], ...]] = {
    "integer": (("string", "zzword"), ("array", [1]), ("object", {"zz": 1})),
    "number": (("string", "zzword"), ("array", [1.5]), ("object", {"zz": 1.5})),
    "boolean": (("string", "zzword"), ("integer", 7), ("object", {"zz": True})),
    "string": (("integer", 7), ("boolean", True), ("array", ["zz"]), ("object", {"zz": "zz"})),
    "array": (("string", "zz"), ("integer", 7), ("object", {"zz": 1})),
    "object": (("string", "zz"), ("integer", 7), ("array", ["zz"])),
}


def restraint(place: Place, facts: Facts | None) -> str:
    """Tell what keeps a place from being free text; a path variable is never free: it names something."""
    told = facts.restraint if facts else "undeclared"
    if place.location == "path" and told in ("free", "undeclared", "structure"):
        return "path"
    if facts is None and not place.is_text and not isinstance(place.value, str):
        return kind_of(place.value)  # no document, but JSON tells numbers and booleans from text
    return told


def kind_of(value: Any) -> str:
    """Give the type of a JSON value, integers apart from other numbers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", float: "number", str: "string", list: "array", dict: "object"}[type(value)]


def _number(place: Place, facts: Facts | None) -> float | None:
    if not place.is_text:
        return place.value if isinstance(place.value, int | float) and not isinstance(place.value, bool) else None
    is_number = facts is not None and facts.types is not None and bool(facts.types & {"integer", "number"}) and "string" not in facts.types
    return float(place.value) if is_number and re.fullmatch(r"-?\d+(\.\d+)?", place.value) else None


def _same_form(number: float) -> float:
    return int(number) if float(number).is_integer() else number
