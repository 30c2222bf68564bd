"""Recorded traffic as discovery asks for it: hosts, counted paths, and a sample of whole transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from hauberk.traffic.queries import IN_WINDOW, Queries

HOSTS = f"SELECT DISTINCT host FROM transactions WHERE {IN_WINDOW} ORDER BY host"  # noqa: S608 - of constants

# A sample that is the same each time it is asked for, and not of the newest alone.
SAMPLE = f"""
    SELECT host, method, status, client, request_headers, response_headers FROM transactions
    WHERE {IN_WINDOW} ORDER BY hash(request_id, time, url, client) LIMIT $limit
"""  # noqa: S608 - of constants


class RecordedTraffic:
    """What a store holds."""

    def __init__(self, store: Queries) -> None:
        self.store = store

    def hosts(self, since: datetime, until: datetime) -> list[str]:
        """List the hosts that were asked for, as requests name them."""
        return [row["host"] for row in self.store.query(HOSTS, None, (), since, until).to_pylist()]

    def paths(
        self, hosts: Sequence[str], since: datetime, until: datetime
    ) -> Iterator[tuple[str, str, str, int, float, int, int | None, int | None]]:
        """Give each path that was answered with 2xx: what `Queries.paths` tells, as a tuple. What was not scored counts as no API call."""
        if not hosts:
            return
        for seen in self.store.paths(hosts, since, until):
            score = 0.0 if seen.score is None else seen.score
            yield seen.host, seen.method, seen.path, seen.requests, score, seen.with_session, seen.first_seen, seen.last_seen

    def transactions(self, hosts: Sequence[str], since: datetime, until: datetime, limit: int) -> list[dict[str, Any]]:
        """Give a sample of transactions without their bodies, spread over the time."""
        return list(self.store.query(SAMPLE, {"limit": limit}, hosts, since, until).to_pylist()) if hosts else []
