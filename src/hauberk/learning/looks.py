"""What a name and a place say of the values that stand there, before any was seen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# The last word decides, and the first list that has it. `*` stands for items or values of a map and says nothing.
_LOOKS: tuple[tuple[str, frozenset[str]], ...] = (
    (
        "id",
        frozenset(
            [
                "id",
                "ids",
                "uuid",
                "guid",
                "uid",
                "gid",
                "sha",
                "hash",
                "key",
                "ref",
                "oid",
                "digest",
                "fingerprint",
                "etag",
                "sha1",
                "sha256",
                "md5",
                "number",
                "num",
                "no",
                "code",
            ]
        ),
    ),
    (
        "date",
        frozenset(
            [
                "at",
                "on",
                "date",
                "time",
                "timestamp",
                "since",
                "until",
                "before",
                "after",
                "expires",
                "expiry",
                "day",
                "created",
                "updated",
                "start",
                "end",
                "from",
                "to",
            ]
        ),
    ),
    (
        "free",
        frozenset(
            [
                "title",
                "body",
                "description",
                "desc",
                "message",
                "msg",
                "text",
                "q",
                "query",
                "comment",
                "comments",
                "note",
                "notes",
                "content",
                "contents",
                "summary",
                "subject",
                "reason",
                "caption",
                "details",
                "detail",
                "bio",
                "about",
                "search",
                "term",
                "keywords",
                "prompt",
                "input",
                "output",
                "instructions",
                "label",
                "labels",
                "headline",
                "abstract",
                "answer",
                "question",
                "feedback",
                "remark",
                "remarks",
                "memo",
                "address",
                "street",
                "city",
                "company",
                "fullname",
                "firstname",
                "lastname",
                "first",
                "last",
                "display",
                "value",
                "data",
                "payload",
                "template",
                "script",
            ]
        ),
    ),
    (
        "name",
        frozenset(
            [
                "name",
                "names",
                "login",
                "user",
                "username",
                "owner",
                "author",
                "repo",
                "slug",
                "tag",
                "tags",
                "branch",
                "path",
                "file",
                "filename",
                "folder",
                "bucket",
                "zone",
                "domain",
            ]
        ),
    ),
    (
        "place",
        frozenset(
            ["url", "uri", "href", "link", "host", "hostname", "origin", "website", "callback", "redirect", "endpoint", "ip", "address6"]
        ),
    ),
    (
        "choice",
        frozenset(
            [
                "type",
                "kind",
                "state",
                "status",
                "sort",
                "order",
                "direction",
                "format",
                "mode",
                "level",
                "visibility",
                "role",
                "action",
                "event",
                "method",
                "scope",
                "lang",
                "language",
                "locale",
                "currency",
                "country",
                "unit",
                "units",
                "version",
                "region",
                "size",
                "class",
                "category",
                "priority",
                "protocol",
                "side",
                "theme",
                "color",
                "permission",
                "encoding",
                "model",
                "plan",
            ]
        ),
    ),
    (
        "count",
        frozenset(
            [
                "page",
                "limit",
                "offset",
                "per",
                "count",
                "size",
                "total",
                "max",
                "min",
                "length",
                "width",
                "height",
                "port",
                "ttl",
                "timeout",
                "priority",
                "weight",
                "position",
                "index",
            ]
        ),
    ),
    (
        "measure",
        frozenset(
            [
                "price",
                "amount",
                "cost",
                "lat",
                "lng",
                "lon",
                "latitude",
                "longitude",
                "score",
                "rate",
                "ratio",
                "percent",
                "temperature",
                "threshold",
                "weight",
                "duration",
                "factor",
                "penalty",
                "p",
                "metric",
                "metrics",
                "pending",
            ]
        ),
    ),
)


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: `pullRequest_id` has three."""
    return tuple(word.lower() for word in _WORDS.findall(name))


@lru_cache(maxsize=4096)
def look(name: str) -> str:
    """Say in one word what a name promises; `other` if nothing."""
    found = words(name)
    for word in reversed(found[-2:]):
        for meaning, known in _LOOKS:
            if word in known:
                return meaning
    return "other"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands."""

    pointer: str

    location: str
    """`path`, `query`, `header`, `cookie`, `form` or `json`."""

    name: str
    """The nearest name above: items of `tags` are called so too."""

    @property
    def is_text(self) -> bool:
        """Whether values are text that is read as numbers and booleans where it spells them."""
        return self.location != "json"

    @property
    def look(self) -> str:
        """What the name promises."""
        return look(self.name)

    @property
    def word(self) -> str:
        """The last word of the name."""
        return next((word for word in reversed(words(self.name)) if not word.isdigit()), "")

    def at(self, name: str) -> Place:
        """The place of a member."""
        return Place(f"{self.pointer}/{escape(name)}", self.location, name)

    def of_items(self) -> Place:
        """The place of items of an array, or values of a map."""
        return Place(f"{self.pointer}/*", self.location, self.name)


def escape(name: str) -> str:
    """Write a name as a JSON Pointer has it (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
