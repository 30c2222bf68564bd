"""
Why the classifier takes requests for API calls, or does not: how the score changes when a part of what it looks at is taken away.

The model gives a number and no reasons. Each part is taken away from recorded transactions by itself, and the rest is scored again by the
same model; the difference is what that part does beside all others. Where several parts say the same, taking one away changes little: so
they are also taken away one after the other, the one that matters most first, until the requests would be judged the other way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
"""A transaction as lines of JSON have it."""

Score = Callable[[Sequence[Record]], list[float]]
"""Gives the likelihood to be an API call of each."""

_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})
_HARDLY = 0.0005
MAX_TOGETHER = 8


@dataclass(frozen=True)
class Contribution:
    """What one part does."""

    part: str
    says: str
    """For people; the values it names are media types, methods and names of headers."""

    share: float
    """On how many of the requests it is, from 0 to 1."""

    without: float
    """The mean score with this part taken away."""

    by: float
    """How much the part adds to the score; negative if it takes away."""


@dataclass(frozen=True)
class Reasons:
    """Why the score is what it is."""

    requests: int
    """How many recorded requests were looked at."""

    score: float | None
    """Their mean; `None` if there are none."""

    parts: tuple[Contribution, ...]
    """Each taken away by itself, those that matter most first."""

    together: tuple[Contribution, ...]
    """Taken away one after the other: `without` is the score without a part and all before it, `by` what it adds beside the rest."""


def reasons(records: Sequence[Record], score: Score, threshold: float) -> Reasons:
    """
    Tell what recorded transactions of an operation owe their score to.

    Args:
        records: Some of them.

        score: Scores them.

        threshold: From which mean on they count as API calls.
    """
    if not records:
        return Reasons(0, None, (), ())
    mean = sum(score(records)) / len(records)
    alone = [told for told, _ in _each(records, records, PARTS, mean, score) if abs(told.by) >= _HARDLY]
    return Reasons(
        len(records), mean, tuple(sorted(alone, key=lambda one: -abs(one.by))), _one_after_another(records, mean, score, threshold)
    )


def _one_after_another(records: Sequence[Record], mean: float, score: Score, threshold: float) -> tuple[Contribution, ...]:
    """Take away what speaks most for the judgement there is, again and again, until it is another one."""
    is_api = mean >= threshold
    told: list[Contribution] = []
    left = list(PARTS)
    rest = records
    while len(told) < MAX_TOGETHER and (mean >= threshold) is is_api:
        tried = list(_each(records, rest, left, mean, score))
        if not tried:
            break
        most, changed = max(tried, key=lambda one: one[0].by if is_api else -one[0].by)
        if (most.by if is_api else -most.by) <= 0:
            break
        told.append(most)
        left = [part for part in left if part.name != most.part]
        rest, mean = changed, most.without
    return tuple(told)


def _each(
    records: Sequence[Record], rest: Sequence[Record], parts: Sequence[_Part], mean: float, score: Score
) -> Iterator[tuple[Contribution, list[Record]]]:
    """Take each of these parts away from what is left of the transactions, by itself."""
    present = [(part, [part.take(record) for record in rest]) for part in parts]
    present = [(part, taken) for part, taken in present if any(one is not None for one in taken)]
    changed = [[one if one is not None else record for one, record in zip(taken, rest, strict=True)] for _, taken in present]
    scores = score([record for rows in changed for record in rows]) if changed else []
    size = len(rest)
    for place, ((part, taken), rows) in enumerate(zip(present, changed, strict=True)):
        without = sum(scores[place * size : (place + 1) * size]) / size
        share = sum(one is not None for one in taken) / size
        yield Contribution(part.name, part.says(records), share, without, mean - without), rows


@dataclass(frozen=True)
class _Part:
    name: str
    take: Callable[[Record], Record | None]
    """Gives the transaction without it, `None` if it has none."""

    says: Callable[[Sequence[Record]], str]


def _headers_without(which: str, unwanted: Callable[[str], bool]) -> Callable[[Record], Record | None]:
    def take(record: Record) -> Record | None:
        pairs = record.get(which) or []
        kept = [pair for pair in pairs if not unwanted(str(pair[0]).lower())]
        return {**record, which: kept} if len(kept) < len(pairs) else None

    return take


def _without(*members: str) -> Callable[[Record], Record | None]:
    def take(record: Record) -> Record | None:
        return {**record, **dict.fromkeys(members)} if any(record.get(member) is not None for member in members) else None

    return take


def _method(record: Record) -> Record | None:
    return {**record, "method": "GET"} if record.get("method") != "GET" else None


def _path_words(record: Record) -> Record | None:
    head, path, query = _split(record)
    plain = re.sub(r"[^/]+", "x", path)
    return {**record, "url": head + plain + query} if plain != path else None


def _query(record: Record) -> Record | None:
    head, path, query = _split(record)
    return {**record, "url": head + path} if query else None


def _host(record: Record) -> Record | None:
    host = str(record.get("host") or "")
    labels = host.split(".")
    if len(labels) < 3:
        return None
    plain = ".".join(["x"] * (len(labels) - 2) + labels[-2:])
    return {**record, "host": plain, "url": str(record.get("url") or "").replace(f"://{host}", f"://{plain}", 1)}


def _response_type(record: Record) -> Record | None:
    if record.get("response_content_type") is None:
        return None
    pairs = [pair for pair in record.get("response_headers") or [] if str(pair[0]).lower() != "content-type"]
    return {**record, "response_content_type": None, "response_headers": pairs}


def _request_body(record: Record) -> Record | None:
    without = _headers_without("request_headers", lambda name: name in {"content-type", "content-length"})(record)
    if without is None and record.get("request_body") is None and record.get("request_body_omitted") is None:
        return None
    return {**(without or record), "request_body": None, "request_body_omitted": None}


def _split(record: Record) -> tuple[str, str, str]:
    match = re.fullmatch(r"([a-z]+://[^/?#]*)?([^?#]*)(.*)", str(record.get("url") or ""), re.DOTALL)
    return (match[1] or "", match[2], match[3]) if match is not None else ("", "", "")


def _most(values: Iterable[str | None]) -> str:
    counts = Counter(value for value in values if value)
    return counts.most_common(1)[0][0] if counts else ""


def _media_type(value: Any) -> str:
    return str(value or "").partition(";")[0].strip().lower()[:80]


def _header(record: Record, name: str) -> str:
    return next((str(pair[1]) for pair in record.get("request_headers") or [] if str(pair[0]).lower() == name), "")


def _always(text: str) -> Callable[[Sequence[Record]], str]:
    return lambda _records: text


PARTS = (
    _Part(
        "response_type",
        _response_type,
        lambda rows: f"Its answers are {_most(_media_type(row.get('response_content_type')) for row in rows)}.",
    ),
    _Part(
        "request_body",
        _request_body,
        lambda rows: f"It is sent a body{_named(_most(_media_type(_header(row, 'content-type')) for row in rows))}.",
    ),
    _Part("method", _method, lambda rows: f"Its method is {_most(str(row.get('method')) for row in rows)}."),
    _Part("path", _path_words, _always("The words of its path.")),
    _Part("query", _query, _always("It has a query.")),
    _Part("host", _host, _always("The words of its host's name.")),
    _Part(
        "accept",
        _headers_without("request_headers", lambda name: name == "accept"),
        lambda rows: f"Callers say what they accept{_named(_most(_media_type(_header(row, 'accept').partition(',')[0]) for row in rows))}.",
    ),
    _Part(
        "fetch_metadata",
        _headers_without("request_headers", lambda name: name.startswith("sec-")),
        _always("What browsers tell of themselves (Sec-Fetch-…)."),
    ),
    _Part(
        "requested_with",
        _headers_without("request_headers", lambda name: name == "x-requested-with"),
        _always("Scripts in pages say that they are (X-Requested-With)."),
    ),
    _Part(
        "referrer",
        _headers_without("request_headers", lambda name: name in {"referer", "origin"}),
        _always("Callers say which page they come from (Referer, Origin)."),
    ),
    _Part(
        "credentials",
        _headers_without("request_headers", lambda name: name in _CREDENTIALS),
        _always("Callers show credentials or cookies."),
    ),
    _Part("client", _headers_without("request_headers", lambda name: name == "user-agent"), _always("The kind of client (User-Agent).")),
    _Part(
        "response_headers",
        _headers_without("response_headers", lambda name: name != "content-type"),
        _always("What else its answers say in their headers."),
    ),
    _Part("response_size", _without("response_body_size"), _always("How large its answers are.")),
    _Part("resource_type", _without("resource_type"), _always("As what a browser asked for it.")),
)


def _named(media_type: str) -> str:
    return f" ({media_type})" if media_type else ""
