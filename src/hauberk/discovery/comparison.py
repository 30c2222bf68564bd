"""
Compares the two ways of discovery, host by host: what the classifier finds, and what requests with a session identifier show.

A host where no request carries an identifier says nothing about the classifier, so shares are of the hosts where both could find something.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hauberk.candidate import Candidate, Finding
from hauberk.operation import OperationKey

# Upper ends of the bars of the histogram of counts, each included; one bar for what is above.
COUNT_BARS = (0, 5, 10, 20, 50, 100, 200)
SMALL_DIFFERENCE = 50

DIFFERENCES = ("lost_over_50", "lost_1_to_50", "unchanged", "gained_1_to_50", "gained_over_50")
"""How many operations more, or fewer, the classifier finds on a host than the session identifier does."""


@dataclass(frozen=True)
class HostComparison:
    """One host."""

    host: str
    both: tuple[OperationKey, ...]
    only_ml: tuple[OperationKey, ...]
    only_session_identifier: tuple[OperationKey, ...]

    @property
    def ml(self) -> int:
        """How many operations the classifier finds."""
        return len(self.both) + len(self.only_ml)

    @property
    def session_identifier(self) -> int:
        """How many operations the session identifier finds."""
        return len(self.both) + len(self.only_session_identifier)

    @property
    def difference(self) -> int:
        """How many more the classifier finds; negative if fewer."""
        return self.ml - self.session_identifier

    @property
    def category(self) -> str:
        """Which of `DIFFERENCES` it is."""
        size = abs(self.difference)
        if size == 0:
            return "unchanged"
        return ("gained_" if self.difference > 0 else "lost_") + ("1_to_50" if size <= SMALL_DIFFERENCE else "over_50")


@dataclass(frozen=True)
class Comparison:
    """All hosts, by name."""

    hosts: tuple[HostComparison, ...]

    @property
    def comparable(self) -> tuple[HostComparison, ...]:
        """The hosts where a session identifier finds anything."""
        return tuple(host for host in self.hosts if host.session_identifier)

    @property
    def differences(self) -> dict[str, int]:
        """How many comparable hosts there are of each of `DIFFERENCES`."""
        return {name: sum(host.category == name for host in self.comparable) for name in DIFFERENCES}

    @property
    def counts(self) -> list[dict[str, Any]]:
        """How many hosts have how many operations, for each way: bars with `from` and `to`, both included; `to` of the last is `None`."""
        ends = (*COUNT_BARS, None)
        starts = (0, *(end + 1 for end in COUNT_BARS))
        return [
            {
                "from": start,
                "to": end,
                "ml": sum(_within(host.ml, start, end) for host in self.hosts),
                "session_identifier": sum(_within(host.session_identifier, start, end) for host in self.hosts),
            }
            for start, end in zip(starts, ends, strict=True)
        ]

    def as_json(self, *, max_operations: int = 100) -> dict[str, Any]:
        """Give the form in which it is answered; of each list of operations the first `max_operations` are named."""
        comparable = len(self.comparable)
        return {
            "hosts": [_host_json(host, max_operations) for host in self.hosts],
            "totals": {
                "both": sum(len(host.both) for host in self.hosts),
                "only_ml": sum(len(host.only_ml) for host in self.hosts),
                "only_session_identifier": sum(len(host.only_session_identifier) for host in self.hosts),
            },
            "comparable_hosts": comparable,
            "differences": {
                name: {"hosts": count, "share": round(count / comparable, 4) if comparable else None}
                for name, count in self.differences.items()
            },
            "counts": self.counts,
        }


@dataclass
class _Found:
    ml: set[OperationKey] = field(default_factory=set)
    session_identifier: set[OperationKey] = field(default_factory=set)


def compare(candidates: Iterable[Candidate | Finding]) -> Comparison:
    """Compare by the origins of candidates; their order does not matter."""
    found: dict[str, _Found] = defaultdict(_Found)
    for candidate in candidates:
        key, origins = candidate.key, candidate.origins
        if "ML" in origins:
            found[key.host].ml.add(key)
        if "SessionIdentifier" in origins:
            found[key.host].session_identifier.add(key)
    return Comparison(tuple(_compare_host(host, found[host]) for host in sorted(found)))


def _compare_host(host: str, found: _Found) -> HostComparison:
    return HostComparison(
        host=host,
        both=_sorted(found.ml & found.session_identifier),
        only_ml=_sorted(found.ml - found.session_identifier),
        only_session_identifier=_sorted(found.session_identifier - found.ml),
    )


def _sorted(keys: set[OperationKey]) -> tuple[OperationKey, ...]:
    return tuple(sorted(keys, key=lambda key: (key.endpoint, key.method)))


def _within(count: int, start: int, end: int | None) -> bool:
    return count >= start and (end is None or count <= end)


def _host_json(host: HostComparison, max_operations: int) -> dict[str, Any]:
    def named(keys: tuple[OperationKey, ...]) -> dict[str, Any]:
        return {"count": len(keys), "operations": [{"method": key.method, "endpoint": key.endpoint} for key in keys[:max_operations]]}

    return {
        "host": host.host,
        "ml": host.ml,
        "session_identifier": host.session_identifier,
        "difference": host.difference,
        "category": host.category if host.session_identifier else None,
        "both": named(host.both),
        "only_ml": named(host.only_ml),
        "only_session_identifier": named(host.only_session_identifier),
    }
