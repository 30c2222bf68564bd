"""What two OpenAPI documents say differently of requests, change by change, and which changes may refuse a request that conformed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hauberk import _native
from hauberk.learning.schema_difference import Comparison, Difference
from hauberk.learning.schema_form import Source

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

# Where values of parameters stand, as a request reads, and how they are spelt where nothing is said.
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that one document says of requests, and the other does not."""

    kind: str
    """`operation-added`, `parameter-removed`, `media-type-added`, `member-added`, `required`, `closed`, or the keyword that differs."""

    where: str
    """The operation, then as in a learned statement: `POST api.example.com/temps body/application~1json/value`."""

    what: str
    """For people: `maximum 100 → 50`."""

    breaking: bool
    """Whether a request that conformed may now be refused; otherwise all of them still conform."""

    def as_json(self) -> dict[str, Any]:
        """Give it as it stands in answers and events."""
        return {"kind": self.kind, "where": self.where, "what": self.what, "breaking": self.breaking}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """
    Compare two documents, as far as requests are judged by them: not by their texts, answers or examples.

    Operations are the same if method, host and endpoint are, base path of the servers included; names of path variables make no
    difference. If one of the documents names no host, hosts make none.

    Args:
        before: OpenAPI 3.0 or 3.1, as JSON.

        after: The same; versions may differ.

    Returns:
        The changes by operation, in a stable order; none if requests are judged alike.

    Raises:
        ValueError: If a document would be refused at upload.
    """
    ours, theirs = _Document(before), _Document(after)
    with_hosts = ours.names_hosts and theirs.names_hosts
    one, other = ours.operations(with_hosts), theirs.operations(with_hosts)
    comparison = Comparison(ours.source, theirs.source)
    changes: list[Change] = []
    for key in sorted({*one, *other}, key=lambda key: (key[1], key[2], key[0])):
        name = f"{key[0]} {key[1]}{key[2]}"
        if key not in other:
            # Its requests are judged by a more general operation from now on, or not at all.
            changes.append(Change("operation-removed", name, "operation removed", breaking=_is_covered(key, other)))
        elif key not in one:
            changes.append(Change("operation-added", name, "operation added", breaking=_is_covered(key, one)))
        else:
            comparison.begin()
            changes += _Operations(comparison, one[key], other[key]).changes(name)
    return list(dict.fromkeys(changes))


class _Document:
    """A document and its operations."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.source = Source(document)
        report = _native.check_document(json.dumps(document).encode())
        if not report["ok"]:
            first = next(iter(report["problems"]), {"message": "it cannot be read"})
            raise ValueError(f"the document is refused: {first['message']}")
        self._declared = report["operations"]
        self.names_hosts = any(declared["hosts"] for declared in self._declared)

    def operations(self, with_hosts: bool) -> dict[Key, _Operation]:
        """Give the operations by method, host (empty for any) and endpoint; the first of equal ones."""
        found: dict[Key, _Operation] = {}
        for declared in self._declared:
            hosts = declared["hosts"] if with_hosts and declared["hosts"] else [""]
            for host in hosts:
                operation = _Operation(self.source, declared["path"], declared["method"])
                found.setdefault((declared["method"], host, declared["endpoint"]), operation)
        return found


class _Operation:
    """An operation of a document."""

    def __init__(self, source: Source, path: str, method: str) -> None:
        self.source = source
        item = _mapping(source.resolved(_mapping(source.document.get("paths")).get(path)))
        self.written = _mapping(item.get(method.lower()))
        self.is_closed_to_queries = self.written.get("x-hauberk-undeclared-query", "reject") != "allow"
        self.is_closed_to_bodies = self.written.get("x-hauberk-undeclared-body", "reject") != "allow"
        self.parameters: dict[tuple[str, str], Mapping[str, Any]] = {}
        variables = _VARIABLE.findall(path)
        for declared in (*_items(item), *_items(self.written)):  # the operation's own replace those of its path
            parameter = _mapping(source.resolved(declared))
            place, name = str(parameter.get("in")), str(parameter.get("name"))
            if place == "header":
                name = name.lower()
            if place == "path" and name in variables:
                # From the right: what the servers' base path has comes before, and is no parameter of the document.
                name = f"{len(variables) - variables.index(name)} from the end"
            self.parameters[place, name] = parameter
        self.body = _mapping(source.resolved(self.written.get("requestBody")))

    def media_types(self) -> dict[str, Mapping[str, Any]]:
        """Give what bodies may be, by media type without parameters."""
        content = _mapping(self.body.get("content"))
        return {name.partition(";")[0].strip().lower(): _mapping(value) for name, value in content.items()}


class _Operations:
    """The same operation of two documents."""

    def __init__(self, comparison: Comparison, before: _Operation, after: _Operation) -> None:
        self.before, self.after = before, after
        self.comparison = comparison

    def changes(self, name: str) -> list[Change]:
        """List what differs."""
        return [Change(one.kind, self._place(name, one.steps), one.what, one.breaking) for one in (*self._parameters(), *self._bodies())]

    def _place(self, name: str, steps: tuple[str, ...]) -> str:
        if steps[:1] == ("path",):
            # As endpoints number them.
            count = len(_VARIABLE.findall(name))
            steps = ("path", f"var{count + 1 - int(steps[1].partition(' ')[0])}", *steps[2:])
        pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
        return f"{name} {pointer}" if pointer else name

    def _parameters(self) -> Iterator[Difference]:
        before, after = self.before, self.after
        if before.is_closed_to_queries != after.is_closed_to_queries:
            what = "no other parameters than those described" if after.is_closed_to_queries else "other parameters too"
            yield Difference(("query",), "closed", what, breaking=after.is_closed_to_queries)
        for place, name in sorted({*before.parameters, *after.parameters}):
            one, other = before.parameters.get((place, name)), after.parameters.get((place, name))
            if one is None and other is not None:
                # What nobody declared passed as it was, but in a query that is closed.
                was_refused = place == "query" and before.is_closed_to_queries
                required = other.get("required") is True
                what = f"parameter added{', required' if required else ''}"
                yield Difference((place, name), "parameter-added", what, breaking=required or not was_refused)
            elif other is None:
                refused = place == "query" and after.is_closed_to_queries
                yield Difference((place, name), "parameter-removed", "parameter removed", breaking=refused)
            elif one is not None:
                yield from (each.below(place, name) for each in self._parameter(place, one, other))

    def _parameter(self, place: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
        was, now = one.get("required") is True, other.get("required") is True
        if was != now and place != "path":
            yield Difference((), "required", "required" if now else "no longer required", breaking=now)
        if _spelling(place, one) != _spelling(place, other):
            yield Difference((), "style", "spelt differently (style, explode, allowReserved, content)", breaking=True)
        yield from self.comparison.differences(_schema(one), _schema(other), as_text=not one.get("content"))

    def _bodies(self) -> Iterator[Difference]:
        before, after = self.before, self.after
        if not before.body and not after.body:
            if before.is_closed_to_bodies != after.is_closed_to_bodies:
                what = "no body" if after.is_closed_to_bodies else "any body"
                yield Difference(("body",), "closed", what, breaking=after.is_closed_to_bodies)
            return
        was, now = before.body.get("required") is True, after.body.get("required") is True
        if not before.body:
            breaking = now or not before.is_closed_to_bodies
            yield Difference(("body",), "body-added", f"body added{', required' if now else ''}", breaking=breaking)
            return
        if not after.body:
            # Those without a body still conform, and so do all if undeclared bodies pass.
            yield Difference(("body",), "body-removed", "body removed", breaking=after.is_closed_to_bodies)
            return
        if was != now:
            yield Difference(("body",), "required", "required" if now else "no longer required", breaking=now)
        yield from (each.below("body") for each in self._media_types())

    def _media_types(self) -> Iterator[Difference]:
        ours, theirs = self.before.media_types(), self.after.media_types()
        for name in sorted({*ours, *theirs}):
            one, other = ours.get(name), theirs.get(name)
            covering, covering_now = _range_of(name, ours), _range_of(name, theirs)
            if one is None:
                breaking = covering is not None and self._breaks(covering, other, name)
                yield Difference((name,), "media-type-added", "media type added", breaking=breaking)
            elif other is None:
                breaking = covering_now is None or self._breaks(one, covering_now, name)
                yield Difference((name,), "media-type-removed", "media type removed", breaking=breaking)
            else:
                yield from (each.below(name) for each in self._media_type(name, one, other))

    def _media_type(self, name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
        if (one.get("encoding") or {}) != (other.get("encoding") or {}):
            yield Difference((), "encoding", "encoding changed", breaking=True)
        yield from self.comparison.differences(one.get("schema", True), other.get("schema", True), as_text=not _is_json(name))

    def _breaks(self, one: Mapping[str, Any] | None, other: Mapping[str, Any] | None, name: str) -> bool:
        return any(each.breaking for each in self._media_type(name, one or {}, other or {}))


def _is_covered(key: Key, others: Mapping[Key, _Operation]) -> bool:
    """Tell whether requests of an operation are of another one if this is not there."""
    method, host, endpoint = key
    methods = {method, "GET"} if method == "HEAD" else {method}
    methods |= {"HEAD"} if method == "GET" else set()
    return any(
        other in methods and _fits(host.split("."), its_host.split(".")) and _fits(endpoint.split("/"), its_endpoint.split("/"))
        for other, its_host, its_endpoint in others
        if (other, its_host, its_endpoint) != key
    )


def _fits(one: list[str], other: list[str]) -> bool:
    """Tell whether some text may be of both templates, part by part; one that is only in part a variable may be anything."""
    return len(one) == len(other) and all(a == b or "{" in a or "{" in b for a, b in zip(one, other, strict=True))


def _range_of(name: str, content: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Find the range that a media type belongs to where it is not named itself: `application/*`, `*/*`."""
    for wider in (f"{name.partition('/')[0]}/*", "*/*"):
        if wider != name and wider in content:
            return content[wider]
    return None


def _is_json(name: str) -> bool:
    return name not in _FORMS and not name.startswith("text/")


def _spelling(place: str, parameter: Mapping[str, Any]) -> tuple[Any, ...]:
    style = parameter.get("style", _STYLES.get(place))
    content = sorted(_mapping(parameter.get("content")))
    return style, parameter.get("explode", style == "form"), parameter.get("allowReserved") is True, content


def _schema(parameter: Mapping[str, Any]) -> Any:
    if "schema" in parameter:
        return parameter["schema"]
    content = _mapping(parameter.get("content"))
    return _mapping(next(iter(content.values()), None)).get("schema", True)


def _items(node: Mapping[str, Any]) -> list[Any]:
    items = node.get("parameters")
    return items if isinstance(items, list) else []


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}
