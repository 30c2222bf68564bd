"""
Profiles of operations, made plainly: all values are kept and summed up at the end.

The form is that of `hauberk._native.Learner.profile`. What is made here has no bounds on memory and exists to look at single statements
while
priors are fitted, and to be compared with the real thing in tests.
"""

import base64
import binascii
import hashlib
import ipaddress
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

MOST_VALUES = 64
TAGS = ("type", "kind", "object", "event", "action", "op", "role", "method", "mode", "@type", "$type", "__typename")
SECRET = re.compile(r"h:[0-9a-f]{12}|REDACTED")
INTEGER = re.compile(r"-?(0|[1-9]\d*)")
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
_FORMATS = {
    "date-time": re.compile(rf"{_DATE}[Tt]{_TIME}([Zz]|[+-]\d\d:\d\d)"),
    "date": re.compile(_DATE),
    "time": re.compile(rf"{_TIME}([Zz]|[+-]\d\d:\d\d)"),
    "uuid": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "email": re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"),
    "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+"),
    "hostname": re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"),
    "jwt": re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    "integer": INTEGER,
    "number": NUMBER,
    "boolean": re.compile(r"true|false"),
    "unix-seconds": re.compile(r"1\d{9}"),
    "unix-milliseconds": re.compile(r"1\d{12}"),
}


def formats_of(text: str) -> list[str]:
    """The formats that a text has."""
    found = [name for name, pattern in _FORMATS.items() if pattern.fullmatch(text)]
    if re.fullmatch(r"[0-9.]{7,15}", text) or ":" in text:
        try:
            found.append(f"ipv{ipaddress.ip_address(text).version}")
        except ValueError:
            pass
    if len(text) >= 16 and len(text) % 4 == 0:
        try:
            base64.b64decode(text, validate=True)
            found.append("byte")
        except (binascii.Error, ValueError):
            pass
    return found


def classes_of(text: str) -> set[str]:
    """The kinds of characters in a text."""
    return {_class_of(character) for character in text}


def _class_of(character: str) -> str:
    if character.isascii():
        if character.islower():
            return "lower"
        if character.isupper():
            return "upper"
        if character.isdigit():
            return "digit"
        if character == " ":
            return "space"
        if character in "\r\n":
            return "line-break"
        return "control" if character < " " or character == "\x7f" else character
    return "letter" if character.isalpha() else "other"


def structure_of(text: str) -> list[tuple[str, str]]:
    """Runs of one class each."""
    runs: list[tuple[str, str]] = []
    for character in text:
        kind = _class_of(character)
        if runs and runs[-1][0] == kind and kind in {"lower", "upper", "digit", "letter"}:
            runs[-1] = (kind, runs[-1][1] + character)
        else:
            runs.append((kind, character))
    return runs


@dataclass(frozen=True)
class Seen:
    """Who and when."""

    source: str
    sample: str
    day: int | None


class Support:
    """Requests, samples and sources."""

    def __init__(self) -> None:
        self.requests = 0
        self.samples: set[str] = set()
        self.sources: set[str] = set()

    def add(self, seen: Seen) -> None:
        self.requests += 1
        self.samples.add(seen.sample)
        if seen.source:
            self.sources.add(seen.source)

    def view(self) -> dict[str, int]:
        return {"requests": self.requests, "samples": len(self.samples), "sources": len(self.sources)}


class Range:
    """Numbers, per source."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, Seen]] = []

    def add(self, number: float, seen: Seen) -> None:
        self.seen.append((number, seen))

    def _outermost(self, sign: int) -> list[list[Any]]:
        best: dict[str, float] = {}
        for number, seen in self.seen:
            key = seen.source or f"={number}"
            if key not in best or sign * number > sign * best[key]:
                best[key] = number
        ordered = sorted(best.items(), key=lambda item: (-sign * item[1], item[0]))
        return [[number, "" if source.startswith("=") else source] for source, number in ordered[:32]]

    def view(self) -> dict[str, Any]:
        days: dict[int, list[float]] = defaultdict(list)
        for number, seen in self.seen:
            if seen.day is not None:
                days[seen.day].append(number)
        return {
            "low": self._outermost(-1),
            "high": self._outermost(1),
            "histogram": [],
            "by_day": [[day, min(found), max(found), len(found)] for day, found in sorted(days.items())][-64:],
        }


class ValueProfile:
    """All that is known of the values at one place."""

    def __init__(self, *, parts: bool = True) -> None:
        self.kinds: dict[str, Support] = defaultdict(Support)
        self.secret = Support()
        self.numbers = Range()
        self.decimals = 0
        self.lengths = Range()
        self.formats: dict[str, Support] = defaultdict(Support)
        self.classes: dict[str, Support] = defaultdict(Support)
        self.structures: dict[tuple[str, ...], tuple[list[list[str]], Support]] = {}
        self.values: dict[tuple[str, Any], Support] = defaultdict(Support)
        self.delimited: dict[str, ValueProfile] = {}
        self.parts = parts
        self.counts = Range()

    def add(self, value: Any, seen: Seen, *, text: bool = False) -> None:
        if isinstance(value, str) and SECRET.search(value):
            self.secret.add(seen)
            return
        if text:
            kind = "string"
            if INTEGER.fullmatch(value):
                kind = "integer"
            elif NUMBER.fullmatch(value):
                kind = "number"
            elif value in {"true", "false"}:
                kind = "boolean"
            self.kinds[kind].add(seen)
            if kind in {"integer", "number"}:
                self._number(value, seen)
            self._string(value, seen)
            for mark in ",| " if self.parts else "":
                if mark in value:
                    inner = self.delimited.setdefault(mark, ValueProfile(parts=False))
                    items = value.split(mark)
                    inner.counts.add(len(items), seen)
                    for item in items:
                        inner.add(item, seen, text=True)
            return
        if value is None:
            self.kinds["null"].add(seen)
        elif isinstance(value, bool):
            self.kinds["boolean"].add(seen)
            self.values["boolean", value].add(seen)
        elif isinstance(value, int | float):
            self.kinds["integer" if float(value).is_integer() else "number"].add(seen)
            self._number(json.dumps(value), seen)
            self.values["number", value].add(seen)
        elif isinstance(value, str):
            self.kinds["string"].add(seen)
            self._string(value, seen)
        elif isinstance(value, list):
            self.kinds["array"].add(seen)
            self.counts.add(len(value), seen)
        else:
            self.kinds["object"].add(seen)

    def _number(self, literal: str, seen: Seen) -> None:
        number = float(literal)
        self.numbers.add(int(number) if number.is_integer() and abs(number) < 1e300 else number, seen)
        if "." in literal:
            self.decimals = max(self.decimals, len(literal.split(".")[1].split("e", maxsplit=1)[0]))

    def _string(self, text: str, seen: Seen) -> None:
        self.lengths.add(len(text), seen)
        for name in formats_of(text):
            self.formats[name].add(seen)
        for name in classes_of(text):
            self.classes[name].add(seen)
        runs = structure_of(text)
        key = tuple(kind for kind, _ in runs)
        found, support = self.structures.setdefault(key, ([[] for _ in runs], Support()))
        for kept, (_, run) in zip(found, runs, strict=True):
            kept.append(run)
        support.add(seen)
        self.values["string", text[:64]].add(seen)

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = {"kinds": {kind: support.view() for kind, support in self.kinds.items()}}
        if self.secret.requests:
            view["secret"] = self.secret.view()
        if self.numbers.seen:
            view["numbers"] = self.numbers.view()
            view["decimals"] = self.decimals
        if self.lengths.seen:
            view["lengths"] = self.lengths.view()
            view["texts"] = {
                "formats": {name: support.view() for name, support in self.formats.items()},
                "classes": {name: support.view() for name, support in self.classes.items()},
                "structures": self._structures(),
            }
        many = len(self.values) > MOST_VALUES
        view["values"] = (
            None if many else [{"value": value, "support": support.view()} for (_, value), support in sorted(self.values.items(), key=str)]
        )
        view["distinct"] = len(self.values)
        view["sample"] = [{"value": value, "at": None, "source": ""} for _, value in sorted(self.values, key=str)[:128]]
        if self.delimited:
            view["delimited"] = {mark: inner.view() for mark, inner in self.delimited.items()}
        if self.counts.seen:
            view["counts"] = self.counts.view()
        return view

    def _structures(self) -> list[dict[str, Any]] | None:
        if len(self.structures) > 32 or any(len(key) > 24 for key in self.structures):
            return None
        return [
            {
                "runs": [
                    {
                        "class": kind,
                        "text": found[0] if len(set(found)) == 1 else None,
                        "least": min(map(len, found)),
                        "most": max(map(len, found)),
                    }
                    for kind, found in zip(key, runs, strict=True)
                ],
                "support": support.view(),
            }
            for key, (runs, support) in sorted(self.structures.items())
        ]


@dataclass
class Node:
    """A place in a body."""

    value: ValueProfile = field(default_factory=ValueProfile)
    items: "Node | None" = None
    object: "Object | None" = None

    def add(self, value: Any, seen: Seen, *, text: bool = False) -> None:
        if isinstance(value, list):
            self.value.add(value, seen)
            self.items = self.items or Node()
            for item in value:
                self.items.add(item, seen, text=text)
        elif isinstance(value, dict):
            self.value.add(value, seen)
            self.object = self.object or Object()
            self.object.add(value, seen, text=text)
        else:
            self.value.add(value, seen, text=text)

    def view(self) -> dict[str, Any]:
        return {
            "value": self.value.view(),
            "items": self.items.view() if self.items else None,
            "object": self.object.view() if self.object else None,
        }


class Object:
    """Objects at one place; those with a tag by its values."""

    def __init__(self, *, branch: bool = False) -> None:
        self.branch = branch
        self.seen: list[tuple[dict[str, Any], Seen, bool]] = []

    def add(self, value: dict[str, Any], seen: Seen, *, text: bool) -> None:
        self.seen.append((value, seen, text))

    def view(self) -> dict[str, Any]:
        present = Support()
        for _, seen, _ in self.seen:
            present.add(seen)
        view: dict[str, Any] = {"present": present.view(), "members": {}, "map": None, "shapes": [], "once": 0, "twice": 0, "tag": None}
        rest = self.seen
        if not self.branch:
            rest, tag = self._by_tag()
            view["tag"] = tag
        members: dict[str, tuple[Support, Node]] = {}
        shapes: dict[tuple[str, ...], Support] = defaultdict(Support)
        for value, seen, text in rest:
            shapes[tuple(sorted(value))].add(seen)
            for name, member in value.items():
                support, node = members.setdefault(name, (Support(), Node()))
                support.add(seen)
                node.add(member, seen, text=text)
        if len(members) > 128:
            names, node, sizes = ValueProfile(), Node(), Range()
            for value, seen, text in rest:
                sizes.add(len(value), seen)
                for name, member in value.items():
                    names.add(name, seen)
                    node.add(member, seen, text=text)
            view |= {"members": None, "map": {"names": names.view(), "node": node.view(), "sizes": sizes.view()}}
        else:
            view["members"] = {name: {"present": support.view(), "node": node.view()} for name, (support, node) in sorted(members.items())}
        view["shapes"] = (
            None if len(shapes) > 64 else [{"members": list(names), "support": support.view()} for names, support in sorted(shapes.items())]
        )
        counts = [len(support.samples) for support, _ in members.values()]
        return view | {"once": counts.count(1), "twice": counts.count(2)}

    def _by_tag(self) -> tuple[list[tuple[dict[str, Any], Seen, bool]], dict[str, Any] | None]:
        names = [name for name in TAGS if any(isinstance(value.get(name), str) and not text for value, _, text in self.seen)]
        if not names:
            return self.seen, None
        name = names[0]
        branches: dict[str, Object] = {}
        rest = []
        for value, seen, text in self.seen:
            tag = value.get(name)
            if isinstance(tag, str):
                branches.setdefault(tag, Object(branch=True)).add(value, seen, text=text)
            else:
                rest.append((value, seen, text))
        if len(branches) > 16:
            return self.seen, None
        return rest, {"name": name, "branches": {tag: branch.view() for tag, branch in sorted(branches.items())}}


class Parameter:
    """A parameter."""

    def __init__(self) -> None:
        self.present = Support()
        self.repeated = Support()
        self.node = Node()

    def add(self, values: list[str], seen: Seen) -> None:
        self.present.add(seen)
        self.node.value.counts.add(len(values), seen)
        if len(values) > 1:
            self.repeated.add(seen)
        for value in values:
            self.node.value.add(value, seen, text=True)

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = {"present": self.present.view(), "node": self.node.view()}
        return view | {"repeated": self.repeated.view()} if self.repeated.requests else view


@dataclass
class Body:
    """Bodies of one media type."""

    present: Support = field(default_factory=Support)
    charset: dict[str, Support] = field(default_factory=lambda: defaultdict(Support))
    unreadable: Support = field(default_factory=Support)
    node: Node = field(default_factory=Node)

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = {
            "present": self.present.view(),
            "charset": {name: support.view() for name, support in self.charset.items()},
            "node": self.node.view(),
        }
        return view | {"unreadable": self.unreadable.view()} if self.unreadable.requests else view


# Names of headers that are not an operation's own.
STANDARD = re.compile(
    r"accept.*|access-control-.*|age|allow|authorization|cache-control|connection|content-.*|cookie|date|dnt|dpop|etag|expect|forwarded|from|host"
    r"|if-.*|keep-alive|last-modified|link|location|max-forwards|origin|pragma|prefer|priority|proxy-.*|range|referer|sec-.*|server|te|trailer"
    r"|transfer-encoding|upgrade.*|user-agent|vary|via|warning|x-forwarded-.*|x-real-ip|x-request-id|x-correlation-id|x-amzn-.*|x-amz-.*"
    r"|x-b3-.*|traceparent|tracestate|baggage|x-requested-with|x-api-key|x-auth.*|.*token.*|.*secret.*|.*api-?key.*|fastly-key|x-goog-api-.*"
)


def profile(operation: tuple[str, str, str], rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Sum up the requests of an operation."""
    method, host, endpoint = operation
    path: list[Parameter] = [Parameter() for _ in re.findall(r"\{[^}]*\}", endpoint)]
    named: dict[str, dict[str, Parameter]] = {"query": defaultdict(Parameter), "header": defaultdict(Parameter), "cookie": {}}
    bodies: dict[str, Body] = defaultdict(Body)
    without_body, all_requests, days = Support(), Support(), defaultdict(int)
    for row in rows:
        seen = seen_of(row)
        all_requests.add(seen)
        if seen.day is not None:
            days[seen.day] += 1
        for parameter, text in zip(path, path_values(endpoint, row["url"]), strict=True):
            parameter.add([text], seen)
        for location, values in (("query", query_values(row["url"])), ("header", header_values(row["request_headers"]))):
            for name, texts in values.items():
                named[location][name].add(texts, seen)
        kind, value, readable = body_of(row)
        if kind is None:
            without_body.add(seen)
            continue
        body = bodies[kind]
        body.present.add(seen)
        if not readable:
            body.unreadable.add(seen)
        else:
            body.node.add(value, seen, text=not kind.endswith("json"))
    return {
        "method": method,
        "host": host,
        "endpoint": endpoint,
        **all_requests.view(),
        "identified": 0,
        "first_seen": None,
        "last_seen": None,
        "days": sorted(days.items())[-64:],
        "hours": [0] * 168,
        "path": [parameter.view() for parameter in path],
        **{where: {name: parameter.view() for name, parameter in sorted(found.items())} for where, found in named.items()},
        "query_once": sum(len(parameter.present.samples) == 1 for parameter in named["query"].values()),
        "query_twice": sum(len(parameter.present.samples) == 2 for parameter in named["query"].values()),
        "bodies": {name: body.view() for name, body in sorted(bodies.items())},
        "without_body": without_body.view(),
        "left_out": 0,
    }


def seen_of(row: dict[str, Any]) -> Seen:
    """Who sent a request and when; equal requests are one sample."""
    request = f"{row['method']} {row['url']} {row.get('request_body') or row.get('request_body_b64')}"
    time = row.get("time")
    day = None
    if time:
        import datetime  # noqa: PLC0415

        day = datetime.date.fromisoformat(time[:10]).toordinal() - datetime.date(1970, 1, 1).toordinal()
    return Seen(row.get("source_id", ""), row.get("sample_id") or hashlib.blake2b(request.encode(), digest_size=8).hexdigest(), day)


def path_values(endpoint: str, url: str) -> list[str]:
    """What stands for the variables of a template, the right end of the path matching it."""
    pieces = [re.escape(piece) for piece in re.split(r"\{[^}]*\}", endpoint)]
    match = re.search("([^/]*)".join(pieces) + "/?$", urlsplit(url).path) or re.search("(.*?)".join(pieces) + "/?$", urlsplit(url).path)
    count = len(pieces) - 1
    return [unquote(text) for text in match.groups()] if match else [""] * count


def query_values(url: str) -> dict[str, list[str]]:
    """The query parameters."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        found[name].append(value)
    return found


def header_values(headers: list[list[str]]) -> dict[str, list[str]]:
    """The headers of an operation's own."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in headers:
        if not STANDARD.fullmatch(name.lower()):
            found[name.lower()].append(value)
    return found


def body_of(row: dict[str, Any]) -> tuple[str | None, Any, bool]:
    """The body's media type, its value and whether it could be read."""
    text = row.get("request_body")
    stated = next((value for name, value in row["request_headers"] if name.lower() == "content-type"), "")
    kind = stated.split(";")[0].strip().lower()
    if text is None or not text:
        return (kind, None, False) if row.get("request_body_b64") or row.get("request_body_omitted") else (None, None, False)
    if kind.endswith("json"):
        try:
            return kind, json.loads(text), True
        except ValueError:
            return kind, None, False
    if kind == "application/x-www-form-urlencoded":
        found: dict[str, Any] = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            if name in found:
                found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
            else:
                found[name] = value
        return kind, found, True
    return kind, None, False
