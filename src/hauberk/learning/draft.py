"""A schema in the making: choices that are not settled yet, and the schema they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from hauberk.learned_schema import Statement
from hauberk.learning.choice import Choice

Schema = dict[str, Any]

_ORDER = ("null", "boolean", "integer", "number", "string", "array", "object")


@dataclass(slots=True)
class Draft:
    """What can be said of the values at one place."""

    pointer: str

    kinds: Choice | None = None
    """Its value is a tuple of kinds; without it any value will do."""

    is_any_text: bool = False
    """Whether the widest kind is any text, of a place that has held other kinds alone: no type is written then, which would be a guess."""

    words: tuple[str, ...] = ()
    """Of a path variable that is a number: routes that stand in its place, which are no violation."""

    texts: list[Choice] = field(default_factory=list)
    numbers: list[Choice] = field(default_factory=list)
    counts: list[Choice] = field(default_factory=list)
    items: Draft | None = None
    members: ObjectDraft | None = None

    def within(self, kinds: Choice, kind: str) -> Draft:
        """Note that this is inside of an array or object, and is only said where that is."""
        if self.kinds:
            self.kinds.only_with = (kinds, frozenset({kind}))
        return self

    def schema(self, evidence: Callable[[str, Iterable[Choice]], Schema]) -> Schema:
        """
        Write the schema in OpenAPI 3.0, once all is settled.

        Args:
            evidence: Gives what is added to a schema, of its pointer and choices.
        """
        told = evidence(self.pointer, self.choices())
        made = self.kinds.made if self.kinds else None
        if made is None:
            return told
        kinds = [kind for kind in _ORDER if kind in made.value]
        is_nullable = "null" in kinds
        branches = [self._of(kind, evidence) for kind in kinds if kind != "null"]
        if self.words and kinds == ["integer"]:
            branches.append({"type": "string", "enum": list(self.words)})
        if self.is_any_text and kinds == ["string"]:
            del branches[0]["type"]
        if not branches:
            return told
        if is_nullable:
            branches[0] |= {"nullable": True}
            if "enum" in branches[0]:
                branches[0]["enum"] = [*branches[0]["enum"], None]
        return (branches[0] if len(branches) == 1 else {"anyOf": branches}) | told

    def _of(self, kind: str, evidence: Callable[[str, Iterable[Choice]], Schema]) -> Schema:
        schema: Schema = {"type": kind}
        about = {"string": self.texts, "integer": self.numbers, "number": self.numbers, "array": self.counts}.get(kind, [])
        for choice in about:
            if choice.made:
                schema |= choice.made.keywords()
        if kind == "array":
            schema["items"] = self.items.schema(evidence) if self.items else {}
        if kind == "object" and self.members:
            schema |= self.members.schema(evidence)
        return schema

    def choices(self) -> list[Choice]:
        """The choices of this place alone."""
        own = [self.kinds] if self.kinds else []
        own += [*self.texts, *self.numbers, *self.counts]
        return own + (self.members.own if self.members else [])

    def statements(self) -> Iterable[Statement]:
        """What is said here and below."""
        for choice in self.choices():
            yield from choice.statements()
        if self.items:
            yield from self.items.statements()
        if self.members:
            yield from self.members.statements()


@dataclass(slots=True)
class ObjectDraft:
    """What can be said of the members of objects at one place."""

    members: dict[str, Draft] = field(default_factory=dict)
    required: dict[str, Choice] = field(default_factory=dict)
    closed: Choice | None = None
    values: Draft | None = None
    """Of a map: all its values."""

    more: list[Choice] = field(default_factory=list)
    """Number and names of a map's members."""

    @property
    def own(self) -> list[Choice]:
        """Choices that are about the object as a whole."""
        return [*self.required.values(), *([self.closed] if self.closed else []), *self.more]

    def schema(self, evidence: Callable[[str, Iterable[Choice]], Schema]) -> Schema:
        """Write the keywords of an object."""
        schema: Schema = {}
        if self.members:
            schema["properties"] = {name: draft.schema(evidence) for name, draft in sorted(self.members.items())}
        required = sorted(name for name, choice in self.required.items() if choice.made)
        if required:
            schema["required"] = required
        if self.closed and self.closed.made:
            schema["additionalProperties"] = False
        elif self.values:
            schema["additionalProperties"] = self.values.schema(evidence)
        for choice in self.more:
            if choice.made:
                schema |= choice.made.keywords()
        return schema

    def statements(self) -> Iterable[Statement]:
        """What is said below."""
        for _, draft in sorted(self.members.items()):
            yield from draft.statements()
        if self.values:
            yield from self.values.statements()
