"""
Drift: what requests of now show that the schema in force does not say.

The profile of the newest successful requests is held beside the operation object that was learned before. Each departure needs several
samples and several sources (sessions, else certificates, else clients), counted as the profile counts them: one caller is one source,
however much it sends, so nobody raises an alarm alone. What a departure tells holds no value from the traffic; its `key` may, and is never
shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hauberk.learning.allowed import allows, branches_of, either, form_of, joined, kind_of, lists, takes_tag, types_of
from hauberk.learning.place import escaped

Kind = Literal["new_parameter", "new_member", "new_media_type", "new_type", "new_value", "outside", "missing", "disappeared"]

# Up to so many a profile counts exactly; what is more is an estimate with this relative error at most (3 standard deviations).
EXACT_SAMPLES, EXACT_SOURCES, ERROR = 64, 32, 0.4

# Types, what ends the names of their bounds, and where a profile has the extremes.
RANGES = (({"integer", "number"}, "", "numbers"), ({"string"}, "Length", "lengths"), ({"array"}, "Items", "counts"))


@dataclass(frozen=True, slots=True)
class Enough:
    """How much it takes to call something drift."""

    samples: int = 10
    """Requests that count: so many of a session and a client at most, equal ones once."""

    sources: int = 3
    """Different sessions, else certificates, else clients; not asked for where nobody can be told apart."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One thing that requests of now show and the schema in force does not say."""

    kind: Kind

    pointer: str
    """Where in the request, as in `Statement.pointer`."""

    keyword: str
    """What of the schema it departs from, as in `Statement.keyword`; of what is new and allowed, what would refuse it."""

    samples: int
    """Requests that count and show it; at least so many."""

    sources: int
    """Different callers of theirs, at least; 0 where nobody can be told apart."""

    refused: bool
    """Whether the schema in force refuses such requests, where it blocks."""

    told: str
    """In words, without a value of the traffic: `comes as string, was integer only`."""

    key: str = ""
    """What tells it from others of this kind at this place; it may hold a value, so it is hashed and never shown."""


def departures(
    operation: Mapping[str, Any], profile: Mapping[str, Any], enough: Enough = Enough(), known: Collection[str] = ()
) -> list[Departure]:
    """
    Compare the newest requests of an operation with the schema in force.

    Args:
        operation: The operation object of OpenAPI that is in force, as learning writes them: without references.

        profile: Of the newest successful requests, as `Learner.profile` tells it.

        enough: What it takes.

        known: Pointers of what was seen when the schema was learned and is not in it, since too little was known; they are nothing new.

    Returns:
        In a stable order; each kind at a place, and each new value of an enumeration, once.
    """
    found = _Comparison(operation, profile, enough, frozenset(known)).found()
    # Several kinds of object can show the same.
    return list({(one.kind, one.pointer, one.keyword, one.key): one for one in found}.values())


def has_disappeared(days: Sequence[tuple[int, int]], today: int, silent_days: int, least: int) -> int | None:
    """
    Tell whether an operation is not called any more.

    Args:
        days: Day numbers with the requests of each.

        today: The number of this day.

        silent_days: So many days without a request, today included, are silence.

        least: So many requests before make silence a change.

    Returns:
        The last day with requests, or `None` if it is still called, or was hardly ever.
    """
    called = [day for day, requests in days if requests > 0]
    before = sum(requests for _, requests in days)
    if not called or today - max(called) < silent_days or before < least:
        return None
    return max(called)


class _Comparison:
    def __init__(self, operation: Mapping[str, Any], profile: Mapping[str, Any], enough: Enough, known: frozenset[str]) -> None:
        self.operation = operation
        self.profile = profile
        self.known = known
        anonymous = not profile.get("sources")
        self.enough = Enough(enough.samples, 0 if anonymous else enough.sources)
        self.total = {name: profile.get(name) or 0 for name in ("requests", "samples", "sources")}

    def found(self) -> Iterator[Departure]:
        declared: dict[str, dict[str, Mapping[str, Any]]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for parameter in self.operation.get("parameters") or ():
            name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
            declared[parameter["in"]][name] = parameter
        for position, seen in enumerate(self.profile.get("path") or ()):
            variable = f"var{position + 1}"
            if variable in declared["path"]:
                yield from self._text(f"path/{variable}", declared["path"][variable], seen)
        for where in ("query", "header", "cookie"):
            yield from self._parameters(where, declared[where], self.profile.get(where) or {})
        yield from self._bodies()

    def _parameters(self, where: str, declared: Mapping[str, Mapping[str, Any]], seen: Mapping[str, Any]) -> Iterator[Departure]:
        closed = where == "query" and self.operation.get("x-hauberk-undeclared-query") == "reject"
        for name in sorted(seen):
            pointer = f"{where}/{escaped(name)}"
            if name in declared:
                yield from self._text(pointer, declared[name], seen[name])
            elif closed or pointer not in self.known:
                yield from self._new("new_parameter", pointer, seen[name]["present"], refused=closed)
        for name, parameter in sorted(declared.items()):
            if parameter.get("required"):
                yield from self._missing(f"{where}/{escaped(name)}", self.total, (seen.get(name) or {}).get("present"))

    def _text(self, pointer: str, parameter: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[Departure]:
        schema, value = parameter.get("schema") or {}, seen["node"]["value"]
        if schema.get("type") == "array":
            explode = parameter.get("explode", parameter.get("style", "form") == "form" and parameter["in"] in {"query", "cookie"})
            mark = {"pipeDelimited": "|", "spaceDelimited": " "}.get(parameter.get("style", ""), ",")
            items = value if explode else (value.get("delimited") or {}).get(mark)
            if items is not None:
                yield from self._outside(pointer, "Items", (schema,), items.get("counts"))
                yield from self._value(f"{pointer}/*", schema.get("items") or {}, {**items, "counts": None}, text=True)
        else:
            yield from self._value(pointer, schema, value, text=True)

    def _bodies(self) -> Iterator[Departure]:
        body = self.operation.get("requestBody") or {}
        content, seen = body.get("content") or {}, self.profile.get("bodies") or {}
        closed = bool(content) or self.operation.get("x-hauberk-undeclared-body") == "reject"
        for media_type in sorted(seen):
            pointer = f"body/{escaped(media_type)}"
            declared = next((content[name] for name in content if name.partition(";")[0].strip().lower() == media_type), None)
            if declared is None:
                if closed or pointer not in self.known:
                    yield from self._new("new_media_type", pointer, seen[media_type]["present"], refused=closed)
            elif seen[media_type].get("node") is not None:
                form = media_type.startswith(("multipart/", "application/x-www-form-urlencoded"))
                yield from self._node(pointer, declared.get("schema") or {}, seen[media_type]["node"], text=form)
        without = self.profile.get("without_body")
        if body.get("required") and without and self._suffices(without["samples"], without["sources"]):
            yield Departure("missing", "body", "required", without["samples"], without["sources"], True, "does not come any more at times")

    def _node(self, pointer: str, schema: Any, node: Mapping[str, Any], *, text: bool) -> Iterator[Departure]:
        if not isinstance(schema, Mapping):
            return
        yield from self._value(pointer, schema, node["value"], text=text)
        branches = branches_of(schema)
        items = [branch["items"] for branch in branches if "items" in branch]
        if node.get("items") is not None and items:
            yield from self._node(f"{pointer}/*", either(items), node["items"], text=text)
        objects = [
            branch for branch in branches if allows(branch, "object") and ("properties" in branch or "additionalProperties" in branch)
        ]
        if node.get("object") is not None and objects:
            yield from self._object(pointer, objects, node["object"], text=text)

    def _object(self, pointer: str, schemas: Sequence[Mapping[str, Any]], seen: Mapping[str, Any], *, text: bool) -> Iterator[Departure]:
        tag = seen.get("tag")
        if tag is not None:
            for value, branch in sorted(tag["branches"].items()):
                fitting = [schema for schema in schemas if takes_tag(schema, tag["name"], value)]
                if fitting:
                    yield from self._object(pointer, fitting, branch, text=text)
                elif self._suffices(branch["present"]["samples"], branch["present"]["sources"]):
                    yield self._value_found(f"{pointer}/{escaped(tag['name'])}", value, branch["present"])
            return
        schema = schemas[0] if len(schemas) == 1 else joined(schemas)
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties", True)
        for name, member in sorted((seen.get("members") or {}).items()):
            below = f"{pointer}/{escaped(name)}"
            if name in properties:
                yield from self._node(below, properties[name], member["node"], text=text)
            elif isinstance(others, Mapping):
                yield from self._node(f"{pointer}/*", others, member["node"], text=text)
            elif others is False or (properties and below not in self.known):
                yield from self._new("new_member", below, member["present"], refused=others is False)
        for name in sorted(schema.get("required") or ()):
            if seen.get("members") is not None:
                part = (seen["members"].get(name) or {}).get("present")
                yield from self._missing(f"{pointer}/{escaped(name)}", seen["present"], part, _shapes_without(seen, name))
        if seen.get("map") is not None and isinstance(others, Mapping):
            yield from self._node(f"{pointer}/*", others, seen["map"]["node"], text=text)
            yield from self._outside(pointer, "Properties", (schema,), seen["map"].get("sizes"))

    def _value(self, pointer: str, schema: Mapping[str, Any], value: Mapping[str, Any], *, text: bool) -> Iterator[Departure]:
        branches = branches_of(schema)
        kinds = value.get("kinds") or {}
        unknown = {kind for kind in kinds if not any(allows(branch, kind, text=text) for branch in branches)}
        for kind in sorted(unknown):
            if self._suffices(kinds[kind]["samples"], kinds[kind]["sources"]):
                told = f"comes as {kind}, was {' or '.join(types_of(branches))} only"
                yield Departure("new_type", pointer, "type", kinds[kind]["samples"], kinds[kind]["sources"], True, told, kind)
        yield from self._ranges(pointer, branches, value, text=text)
        yield from self._enumerated(pointer, branches, value, unknown, text=text)
        yield from self._formed(pointer, branches, value)

    def _ranges(self, pointer: str, branches: Sequence[Mapping[str, Any]], value: Mapping[str, Any], *, text: bool) -> Iterator[Departure]:
        for types, suffix, member in RANGES:
            bounded = [branch for branch in branches if not types_of([branch]) or types & set(types_of([branch]))]
            # Text that may be a number or something else is bounded by neither alone.
            if not text or len(bounded) == len(branches):
                yield from self._outside(pointer, suffix, bounded, value.get(member))

    def _outside(
        self, pointer: str, suffix: str, branches: Sequence[Mapping[str, Any]], seen: Mapping[str, Any] | None
    ) -> Iterator[Departure]:
        if not branches or not seen:
            return
        for keyword, side in ((f"min{suffix or 'imum'}", "low"), (f"max{suffix or 'imum'}", "high")):
            bounds = [branch.get(keyword) for branch in branches]
            if any(bound is None for bound in bounds):
                continue
            bound = min(b for b in bounds if b is not None) if side == "low" else max(b for b in bounds if b is not None)
            beyond = [entry for entry in seen[side] if (entry[0] < bound if side == "low" else entry[0] > bound)]
            sources = _callers(entry[1] for entry in beyond)
            # Of each source the profile keeps one value, so that the number of values is that of sources as well.
            if sources >= self.enough.sources if self.enough.sources else len(beyond) >= self.enough.samples:
                told = f"goes {'below' if side == 'low' else 'above'} {keyword}, which is {bound:g}"
                yield Departure("outside", pointer, keyword, len(beyond), sources, True, told, f"{bound:g}")

    def _enumerated(
        self, pointer: str, branches: Sequence[Mapping[str, Any]], value: Mapping[str, Any], unknown: set[str], *, text: bool
    ) -> Iterator[Departure]:
        if not any("enum" in branch for branch in branches):
            return
        for entry in value.get("values") or ():
            kind, support = kind_of(entry["value"]), entry["support"]
            able = [branch for branch in branches if allows(branch, kind, text=text)]
            if kind in unknown or not able or any(lists(branch, entry["value"], text=text) for branch in able):
                continue
            if self._suffices(support["samples"], support["sources"]):
                yield self._value_found(pointer, entry["value"], support)
        if value.get("values") is None and value.get("distinct", 0) > EXACT_SAMPLES and all("enum" in branch for branch in branches):
            told = "has more values than an enumeration can have"
            yield Departure("new_value", pointer, "enum", value["distinct"], self.total["sources"], True, told, "many")

    def _formed(self, pointer: str, branches: Sequence[Mapping[str, Any]], value: Mapping[str, Any]) -> Iterator[Departure]:
        if len(branches) != 1 or types_of(branches) != ["string"]:
            return
        for keyword in ("pattern", "format"):
            form = form_of(keyword, branches[0].get(keyword))
            if form is None:
                continue
            others = [entry for entry in value.get("sample") or () if isinstance(entry["value"], str) and not form.search(entry["value"])]
            sources = _callers(entry["source"] for entry in others)
            if self._suffices(len(others), sources):
                yield Departure("outside", pointer, keyword, len(others), sources, True, f"departs from its {keyword}", form.pattern)

    def _new(self, kind: Kind, pointer: str, support: Mapping[str, Any], *, refused: bool) -> Iterator[Departure]:
        if self._suffices(support["samples"], support["sources"]):
            keyword = "additionalProperties" if kind == "new_member" else "closed"
            yield Departure(kind, pointer, keyword, support["samples"], support["sources"], refused, "is new")

    def _missing(
        self, pointer: str, whole: Mapping[str, Any], part: Mapping[str, Any] | None, at_least: tuple[int, int] = (0, 0)
    ) -> Iterator[Departure]:
        samples = max(at_least[0], _lacking(whole["samples"], part["samples"] if part else 0, EXACT_SAMPLES))
        sources = max(at_least[1], _lacking(whole["sources"], part["sources"] if part else 0, EXACT_SOURCES))
        if self._suffices(samples, sources):
            yield Departure("missing", pointer, "required", samples, sources, True, "does not come any more at times")

    def _value_found(self, pointer: str, value: Any, support: Mapping[str, Any]) -> Departure:
        told = "has a value that is not in its enumeration"
        return Departure("new_value", pointer, "enum", support["samples"], support["sources"], True, told, f"{value!r}")

    def _suffices(self, samples: int, sources: int) -> bool:
        return samples >= self.enough.samples and sources >= self.enough.sources


def _lacking(whole: int, part: int, exact: int) -> int:
    """Tell how many of the whole are not in the part, at least; estimates of large numbers are off by so much."""
    return max(0, whole - part) if whole <= exact else max(0, int(whole * (1 - ERROR)) - int(part * (1 + ERROR)))


def _shapes_without(seen: Mapping[str, Any], name: str) -> tuple[int, int]:
    without = [shape["support"] for shape in seen.get("shapes") or () if name not in shape["members"]]
    return max((one["samples"] for one in without), default=0), max((one["sources"] for one in without), default=0)


def _callers(sources: Iterable[Any]) -> int:
    """Count the different sources among these, of which nobody is none."""
    return len({source for source in sources if source and str(source).strip("0")})
