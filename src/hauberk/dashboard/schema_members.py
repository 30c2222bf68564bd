"""
What a schema says of an operation, as a tree of members: each parameter, and each member of a body with those below it.

Of a learned schema it has the statements with their evidence, those that are not made yet too; of an uploaded one what the document says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_MEMBERS = 1500
MAX_DEPTH = 24
PLACES = ("path", "query", "header", "cookie")

_BELOW = frozenset({"properties", "items", "additionalProperties"})
_FOR_PEOPLE = frozenset({"description", "title", "example", "examples", "$ref", "default", "deprecated", "$comment", "externalDocs"})


@dataclass
class Member:
    """A parameter, a body, or something inside of one."""

    name: str
    """`*` for all items of an array, or all values of a map."""

    statements: list[Mapping[str, Any]] = field(default_factory=list)
    """Each `keyword`, `value`, `made` and perhaps `evidence`."""

    below: dict[str, Member] = field(default_factory=dict)

    @property
    def made(self) -> list[Mapping[str, Any]]:
        """What the schema says."""
        return [one for one in self.statements if one["made"]]

    @property
    def missing(self) -> list[Mapping[str, Any]]:
        """What it does not dare to say yet: for each keyword it says nothing of, the statement that needs the least."""
        said = {one["keyword"] for one in self.made}
        least: dict[str, Mapping[str, Any]] = {}
        for one in self.statements:
            keyword = one["keyword"]
            if not one["made"] and keyword not in said and (keyword not in least or _needs(one) < _needs(least[keyword])):
                least[keyword] = one
        return list(least.values())

    @property
    def type(self) -> str:
        """Its type in words; nothing if any will do."""
        value = next((one["value"] for one in self.made if one["keyword"] == "type"), None)
        kinds = value if isinstance(value, list) else [value] if value else []
        return " or ".join(str(kind) for kind in kinds)

    @property
    def is_required(self) -> bool:
        """Whether a request without it is refused."""
        return any(one["keyword"] == "required" and one["value"] is not False for one in self.made)

    @property
    def others(self) -> list[Mapping[str, Any]]:
        """What is said besides its type and whether it is required."""
        return [one for one in self.made if one["keyword"] not in {"type", "required"}]

    @property
    def probability(self) -> float | None:
        """That the next good request breaks one of its statements, those below left out; `None` without evidence."""
        known = [one["evidence"]["probability"] for one in self.made if one.get("evidence")]
        return min(1.0, sum(known)) if known else None

    @property
    def samples(self) -> int | None:
        """How many requests its statements rest on at most; `None` without evidence."""
        return max((one["evidence"]["samples"] for one in self.statements if one.get("evidence")), default=None)


@dataclass(frozen=True)
class Members:
    """All members of an operation's requests."""

    parameters: Sequence[tuple[str, Member]]
    """Place (`path`, `query`, `header`, `cookie`) and parameter."""

    places: Mapping[str, Member]
    """What is said of a place as a whole: `query`, that it has no other parameters."""

    body: Member | None
    """Its members are the media types."""

    left_out: int
    """How many members are too many to be shown."""


def learned_members(statements: Sequence[Mapping[str, Any]]) -> Members:
    """Arrange a learned version's `statement_list`."""
    root, count, left_out = Member(""), 0, 0
    for statement in statements:
        node = root
        for step in (part.replace("~1", "/").replace("~0", "~") for part in statement["pointer"].split("/")):
            if step not in node.below:
                count += 1
                if count > MAX_MEMBERS:
                    break
                node.below[step] = Member(step)
            node = node.below[step]
        else:
            node.statements.append(statement)
            continue
        left_out += 1
    return _arranged(root, left_out)


def declared_members(document: Mapping[str, Any]) -> Members:
    """Arrange what a document of one operation says."""
    return _Declared(document).members()


def _arranged(root: Member, left_out: int) -> Members:
    parameters = [(place, member) for place in PLACES if place in root.below for member in root.below[place].below.values()]
    places = {place: root.below[place] for place in PLACES if place in root.below}
    return Members(parameters, places, root.below.get("body"), left_out)


class _Declared:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.count = self.left_out = 0

    def members(self) -> Members:
        operation: Mapping[str, Any] = next((one for item in self.document.get("paths", {}).values() for one in item.values()), {})
        root = Member("")
        for parameter in operation.get("parameters", []):
            place = root.below.setdefault(str(parameter.get("in")), Member(str(parameter.get("in"))))
            member = self._member(str(parameter.get("name")), _schema(parameter), MAX_DEPTH)
            _require(member, parameter.get("required") is True)
            place.below[member.name] = member
        body = operation.get("requestBody")
        if isinstance(body, Mapping):
            root.below["body"] = Member("body")
            _require(root.below["body"], body.get("required") is True)
            for name, content in body.get("content", {}).items():
                root.below["body"].below[name] = self._member(name, content.get("schema", {}), MAX_DEPTH)
        return _arranged(root, self.left_out)

    def _member(self, name: str, schema: Any, depth: int) -> Member:
        self.count += 1
        if not depth or self.count > MAX_MEMBERS:
            self.left_out += 1
            return Member(name)
        schema = self._resolved(schema)
        required = schema.get("required")
        said = {key: value for key, value in schema.items() if key not in _BELOW | _FOR_PEOPLE and key != "required"}
        member = Member(name, [{"keyword": key, "value": value, "made": True} for key, value in said.items()])
        for below, its_schema in self._below(schema):
            member.below[below] = self._member(below, its_schema, depth - 1)
            _require(member.below[below], isinstance(required, list) and below in required)
        if schema.get("additionalProperties") is False:
            member.statements.append({"keyword": "additionalProperties", "value": False, "made": True})
        return member

    def _below(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            yield from properties.items()
        for keyword in ("items", "additionalProperties"):
            if isinstance(schema.get(keyword), Mapping):
                yield "*", schema[keyword]

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        for _ in range(MAX_DEPTH):
            reference = schema.get("$ref") if isinstance(schema, Mapping) else None
            if not isinstance(reference, str):
                break
            schema = self.document
            for part in reference.removeprefix("#/").split("/"):
                schema = schema.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(schema, Mapping) else None
        return schema if isinstance(schema, Mapping) else {}


def _require(member: Member, required: bool) -> None:
    if required:
        member.statements.insert(0, {"keyword": "required", "value": True, "made": True})


def _schema(parameter: Mapping[str, Any]) -> Any:
    if "schema" in parameter:
        return parameter["schema"]
    content: Mapping[str, Any] = next(iter((parameter.get("content") or {}).values()), {})
    return content.get("schema", {})


def _needs(statement: Mapping[str, Any]) -> int:
    return int((statement.get("evidence") or {}).get("needs") or 0)
