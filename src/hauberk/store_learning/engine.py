"""What an engine does, and what does not depend on which one it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol

from hauberk import _native
from hauberk.traffic.replay import PathTotal

Operation = tuple[str, str, str]
"""Method, host and endpoint."""

Teachers = Literal["all", "identified", "certificate"]

# Rows that cross into Rust at a time.
BATCH = 20_000


@dataclass(frozen=True)
class LearnerPlan:
    """Who teaches; everything a learner needs to know but the operations."""

    session_identifiers: tuple[str, ...] = ()
    """E.g. `header:authorization`, for rows that do not tell their session."""

    only: Teachers = "all"

    held_back: bool = False
    """Whether about every tenth session, certificate or client is kept for trials."""

    def learner(self, operations: Sequence[Operation]) -> _native.Learner:
        """
        Make a learner that has seen nothing yet.

        Raises:
            ValueError: If a session identifier is none.
        """
        return _native.Learner(
            operations=list(operations),
            session_identifiers=list(self.session_identifiers),
            only=self.only,
            trusted=[],
            held_back=self.held_back,
        )


class Engine(Protocol):
    """Reads a store."""

    bytes: int
    """Size of the segments that will be read, as they are."""

    def path_totals(self) -> Iterable[PathTotal]:
        """Count the successful requests of each path; the same path may come more than once, for different parts."""

    def learned(self, operations: Sequence[Operation], plan: LearnerPlan) -> _native.Learner:
        """Learn from all rows."""

    def progress(self) -> tuple[int, int]:
        """Tell how many bytes of segments and how many rows were read so far in this pass; for another thread."""


def discover(totals: Iterable[PathTotal], *, scored: bool, max_paths: int) -> _native.Discovery:
    """
    Group the paths of a store into operations.

    Args:
        totals: From an engine.

        scored: Whether the likelihood to be an API call counts; without it all requests are taken for such.

        max_paths: About how many different paths are told apart.
    """
    added: dict[tuple[str, str, str], PathTotal] = {}
    for total in totals:
        key = (total.host, total.method, total.path)
        added[key] = added[key].added(total) if key in added else total
    discovery = _native.Discovery(max_paths)
    rows = (_row(added[key], scored) for key in sorted(added))
    while batch := list(islice(rows, BATCH)):
        discovery.observe(batch)
    return discovery


def _row(total: PathTotal, scored: bool) -> tuple[str, str, str, int, float, int, int | None, int | None]:
    requests = max(1, round(total.weight))
    # What was never scored looks like no API call.
    score = (total.score / total.scored if total.scored else 0.0) if scored else 1.0
    with_session = min(requests, round(total.with_session))
    return total.host, total.method, total.path, requests, score, with_session, total.first_seen, total.last_seen
