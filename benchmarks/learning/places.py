"""Where a request holds values, and the request with one of them changed."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from benchmarks.learning.corpora import Row

Location = Literal["path", "query", "form", "body"]


@dataclass(frozen=True)
class Place:
    """One value of a request."""

    location: Location

    steps: tuple[str | int, ...]
    """Number of the segment, of the pair, or the way down the JSON body."""

    name: str
    """The same for all requests of the operation: a variable's or parameter's name, or `labels/*/color`."""

    value: Any
    """As JSON in a body; elsewhere text."""

    @property
    def is_text(self) -> bool:
        """Whether everything there is text, so that only its spelling tells a type."""
        return self.location != "body"


class Request:
    """A recorded request, taken apart."""

    def __init__(self, row: Row, template: str | None) -> None:
        """
        Take a row apart.

        Args:
            row: A recorded transaction; it is left as it is.

            template: Its path template, which tells the variables; without it, or if it has another number of segments, there are none.
        """
        self.row = row
        self.template = template
        self._url = urlsplit(row["url"])
        self._segments = self._url.path.split("/")
        self._pairs = parse_qsl(self._url.query, keep_blank_values=True)
        self._kind, self._body = _body(row)

    def places(self) -> list[Place]:
        """List its values: path variables, query parameters, form fields, and all values in a JSON body, arrays and objects included."""
        found = [Place("query", (number,), name, value) for number, (name, value) in enumerate(self._pairs)]
        wanted = (self.template or "").split("/")
        if len(wanted) == len(self._segments):
            found += [
                Place("path", (number,), part[1:-1], self._segments[number])
                for number, part in enumerate(wanted)
                if part.startswith("{") and part.endswith("}") and part.count("{") == 1
            ]
        if self._kind == "form":
            found += [Place("form", (number,), name, value) for number, (name, value) in enumerate(self._body)]
        elif self._kind == "json":
            found += _inside(self._body, (), "")
        return found

    def with_value(self, place: Place, value: Any) -> Row:
        """Give the row with another value at a place; in the path it is percent-encoded, so it stays one segment."""
        if place.location == "body":
            return self._with_body(_replaced(self._body, place.steps, value))
        number = int(place.steps[0])
        if place.location == "path":
            segments = list(self._segments)
            segments[number] = quote(str(value), safe="")
            return self._with_url(path="/".join(segments))
        pairs = list(self._pairs if place.location == "query" else self._body)
        pairs[number] = (pairs[number][0], str(value))
        return self._with_pairs(place.location, pairs)

    def without(self, place: Place) -> Row:
        """Give the row without a member, parameter or field; all of that name go."""
        if place.location == "body":
            return self._with_body(_removed(self._body, place.steps))
        pairs = [pair for pair in (self._pairs if place.location == "query" else self._body) if pair[0] != place.name]
        return self._with_pairs(place.location, pairs)

    def with_member(self, place: Place, name: str, value: Any) -> Row:
        """Give the row with one member more in the object at a place of the body."""
        parent = _found(self._body, place.steps)
        return self._with_body(_replaced(self._body, place.steps, parent | {name: value}))

    def with_pair(self, location: Location, name: str, value: str) -> Row:
        """Give the row with a query parameter or form field more."""
        return self._with_pairs(location, [*(self._pairs if location == "query" else self._body), (name, value)])

    @property
    def has_form(self) -> bool:
        """Whether its body is a form."""
        return self._kind == "form"

    def _with_pairs(self, location: Location, pairs: list[tuple[str, str]]) -> Row:
        text = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in pairs)
        return self._with_url(query=text) if location == "query" else self.row | {"request_body": text}

    def _with_url(self, **parts: str) -> Row:
        return self.row | {"url": urlunsplit(self._url._replace(**parts))}

    def _with_body(self, body: Any) -> Row:
        return self.row | {"request_body": json.dumps(body, separators=(",", ":"))}


def content_type(row: Row) -> str | None:
    """Give the media type a row states for its body, without parameters, in lower case."""
    for name, value in row["request_headers"]:
        if name.lower() == "content-type":
            return str(value).partition(";")[0].strip().lower()
    return None


def _body(row: Row) -> tuple[Literal["json", "form", "none"], Any]:
    text = row.get("request_body")
    media_type = content_type(row)
    if not text:
        return "none", None
    if media_type == "application/x-www-form-urlencoded" and not text.lstrip().startswith(("{", "[")):
        return "form", parse_qsl(text, keep_blank_values=True)
    if media_type is None or media_type == "application/json" or media_type.endswith("+json"):
        try:
            return "json", json.loads(text)
        except ValueError:
            return "none", None
    return "none", None


def _inside(value: Any, steps: tuple[str | int, ...], name: str) -> list[Place]:
    found = [Place("body", steps, name or "$", value)]
    if isinstance(value, dict):
        for key, member in value.items():
            found += _inside(member, (*steps, key), f"{name}/{key}" if name else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found += _inside(item, (*steps, number), f"{name}/*" if name else "*")
    return found


def _found(value: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _replaced(body: Any, steps: tuple[str | int, ...], value: Any) -> Any:
    if not steps:
        return value
    changed = copy.deepcopy(body)
    _found(changed, steps[:-1])[steps[-1]] = value
    return changed


def _removed(body: Any, steps: tuple[str | int, ...]) -> Any:
    changed = copy.deepcopy(body)
    del _found(changed, steps[:-1])[steps[-1]]
    return changed
