"""From operations found in paths to candidates: how often, and how much like API calls, their requests have to be."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hauberk.candidate import MAX_EXAMPLES, Candidate, Origin, without_port

# Of the operations that are seen too seldom, so many are named.
MAX_NEAREST = 20


@dataclass(frozen=True)
class FoundOperation:
    """What path discovery found: a template, and what its requests add up to."""

    method: str
    host: str
    endpoint: str
    requests: int

    score: float
    """Mean likelihood of its requests to be API calls, from 0 to 1."""

    with_session: int
    """How many of its requests carried a session identifier."""

    distinct_paths: int

    first_seen: int | None
    """Unix seconds."""

    last_seen: int | None
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Thresholds:
    """What it takes to be a candidate."""

    min_requests: int = 500
    """Successful requests in the window, from 1."""

    min_score: float = 0.5
    """Mean likelihood to be an API call, from 0 to 1, for what no session identifier shows."""


def found_operations(document: str) -> list[FoundOperation]:
    """Read what path discovery gives as JSON. What was asked of no host is no operation."""
    names = FoundOperation.__dataclass_fields__
    return [
        FoundOperation(**{name: row[name] for name in names if name != "examples"}, examples=tuple(row["examples"]))
        for row in json.loads(document)
        if without_port(row["host"])
    ]


def origins(found: FoundOperation, thresholds: Thresholds) -> tuple[Origin, ...]:
    """
    Tell which ways find an operation; none means that it is no candidate.

    `ML` looks at all of its requests, `SessionIdentifier` only at those that carry one.
    """
    by_score = found.requests >= thresholds.min_requests and found.score >= thresholds.min_score
    by_session = found.with_session >= thresholds.min_requests
    ways: tuple[tuple[Origin, bool], ...] = (("ML", by_score), ("SessionIdentifier", by_session))
    return tuple(origin for origin, found_so in ways if found_so)


def shortfalls(found: FoundOperation, thresholds: Thresholds) -> list[str]:
    """Say, for people, what an operation lacks to be a candidate; nothing if it is one."""
    if origins(found, thresholds):
        return []
    told = []
    if found.requests < thresholds.min_requests:
        told.append(f"{found.requests} successful requests in the window, and {thresholds.min_requests} are needed")
    elif found.score < thresholds.min_score:
        told.append(f"a mean score of {found.score:.3f}, and {thresholds.min_score:.3f} is needed")
        told.append(f"{found.with_session} of its requests carry a session identifier, and {thresholds.min_requests} would do")
    return told


@dataclass(frozen=True)
class Below:
    """What was found and is no candidate."""

    few: int
    """Operations with fewer requests than it takes."""

    unlike: int
    """Those with enough, that do not look like an API and carry no session identifier."""

    nearest: tuple[FoundOperation, ...]
    """Of the first, those with the most requests."""

    def as_json(self) -> dict[str, Any]:
        """Give the form in which it is kept and answered."""
        names = ("method", "host", "endpoint", "requests", "score")
        return {"few": self.few, "unlike": self.unlike, "nearest": [{name: getattr(one, name) for name in names} for one in self.nearest]}


def below(found: Iterable[FoundOperation], thresholds: Thresholds) -> Below:
    """Tell what is no candidate, and why."""
    others = [operation for operation in found if not origins(operation, thresholds)]
    few = [operation for operation in others if operation.requests < thresholds.min_requests]
    nearest = sorted(few, key=lambda one: (-one.requests, one.host, one.endpoint, one.method))[:MAX_NEAREST]
    return Below(len(few), len(others) - len(few), tuple(nearest))


def candidates(found: Iterable[FoundOperation], thresholds: Thresholds) -> list[Candidate]:
    """Keep what passes the thresholds, in the order it is given."""
    kept: list[Candidate] = []
    for operation in found:
        ways = origins(operation, thresholds)
        if ways:
            kept.append(
                Candidate(
                    method=operation.method,
                    host=operation.host,
                    endpoint=operation.endpoint,
                    origins=ways,
                    requests=operation.requests,
                    score=operation.score if math.isfinite(operation.score) else None,
                    distinct_paths=operation.distinct_paths,
                    first_seen=_moment(operation.first_seen),
                    last_seen=_moment(operation.last_seen),
                    examples=operation.examples[:MAX_EXAMPLES],
                )
            )
    return kept


def _moment(seconds: int | None) -> datetime | None:
    """Read a time; one that no calendar has, as clocks of devices tell at times, is not known."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
