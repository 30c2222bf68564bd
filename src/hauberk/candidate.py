"""
A candidate's noun: an operation that was found in traffic, with what is known of it, before anybody saved it.

It has the identity of the operation it would be: method, host and endpoint. What decides whether something found is a candidate is in
`discovery/thresholds.py`, what became of it (`review`, `saved`, `ignored`) in `storage/candidates.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from hauberk.operation import OperationKey, normalise_endpoint, normalise_host, normalise_method

Origin = Literal["ML", "SessionIdentifier"]
"""Which way found it: the classifier, or a session identifier on its requests."""

ORIGINS: tuple[Origin, ...] = ("ML", "SessionIdentifier")

MAX_EXAMPLES = 5

_PORT = re.compile(r":\d{0,5}$")


class State(StrEnum):
    """What became of a candidate."""

    REVIEW = "review"
    SAVED = "saved"
    IGNORED = "ignored"


class Finding(NamedTuple):
    """Of a candidate, only what it is and which ways found it."""

    key: OperationKey
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Candidate:
    """An operation found in traffic."""

    method: str
    host: str
    endpoint: str

    origins: tuple[Origin, ...]
    """At least one, in the order of `ORIGINS`."""

    requests: int
    """Successful requests in the window that was looked at."""

    score: float | None
    """Mean likelihood of its requests to be API calls, from 0 to 1; `None` if none was scored."""

    distinct_paths: int
    """How many different paths its template stands for, as far as they were told apart."""

    first_seen: datetime | None
    last_seen: datetime | None

    examples: tuple[str, ...]
    """Some of its paths, secrets masked; at most `MAX_EXAMPLES`."""

    @property
    def key(self) -> OperationKey:
        """The three that make the operation."""
        return OperationKey(self.method, self.host, self.endpoint)

    def normalised(self) -> Candidate:
        """
        Spell it as a saved operation is spelt, so that the two can be compared; the host loses its port.

        Raises:
            ValueError: If no operation could be saved under this method, host or endpoint.
        """
        return replace(
            self,
            method=normalise_method(self.method),
            host=normalise_host(without_port(self.host)),
            endpoint=normalise_endpoint(self.endpoint),
        )

    def joined(self, other: Candidate) -> Candidate:
        """
        Join what is known of one operation in two places, such as two ports of its host.

        Paths may be the same in both, so the larger count of distinct ones stands.
        """
        return replace(
            self,
            origins=tuple(origin for origin in ORIGINS if origin in self.origins or origin in other.origins),
            requests=self.requests + other.requests,
            score=_mean((self.score, self.requests), (other.score, other.requests)),
            distinct_paths=max(self.distinct_paths, other.distinct_paths),
            first_seen=min((t for t in (self.first_seen, other.first_seen) if t is not None), default=None),
            last_seen=max((t for t in (self.last_seen, other.last_seen) if t is not None), default=None),
            examples=tuple(dict.fromkeys((*self.examples, *other.examples)))[:MAX_EXAMPLES],
        )


def without_port(host: str) -> str:
    """
    Take the port off a host as requests name it.

    Example:
        >>> without_port("api.example.com:8443"), without_port("[2001:db8::1]:8443"), without_port("[2001:db8::1]")
        ('api.example.com', '[2001:db8::1]', '[2001:db8::1]')
    """
    return host if host.endswith("]") else _PORT.sub("", host)


def _mean(*weighted: tuple[float | None, int]) -> float | None:
    known = [(score, weight) for score, weight in weighted if score is not None]
    total = sum(weight for _, weight in known)
    if not total:
        return known[0][0] if known else None
    return sum(score * weight for score, weight in known) / total
