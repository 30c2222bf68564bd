"""The traffic store as discovery reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from hauberk.discovery.carriers import Transaction
from hauberk.discovery.sightings import PathRow

HOSTS = "SELECT DISTINCT host FROM transactions WHERE host IS NOT NULL"

# A sample of the whole window, and not of its end: whoever calls at night counts as well. Bodies are not read.
SAMPLE = """
    SELECT * FROM (
        SELECT host, method, status, client, request_headers, response_headers FROM transactions
        WHERE list_contains($hosts, host) AND (time IS NULL OR (time >= to_timestamp($since) AND time < to_timestamp($until)))
    ) USING SAMPLE reservoir($$ ROWS) REPEATABLE (7)
"""


# Transactions of one template, whole; `path` is as sent.
OF_TEMPLATE = """
    SELECT * FROM (
        SELECT * FROM transactions
        WHERE list_contains($hosts, host) AND (time IS NULL OR (time >= to_timestamp($since) AND time < to_timestamp($until)))
            AND status BETWEEN 200 AND 299 AND method = $method AND regexp_full_match(path, $pattern)
    ) USING SAMPLE reservoir($$ ROWS) REPEATABLE (7)
"""


class Rows(Protocol):
    """A table of Arrow."""

    def to_pylist(self) -> list[dict[str, Any]]:
        """Give its rows."""


class Sighting(Protocol):
    """How often one path was asked for with success."""

    @property
    def host(self) -> str:
        """As requests name it."""

    @property
    def method(self) -> str:
        """In upper case."""

    @property
    def path(self) -> str:
        """Without its query."""

    @property
    def requests(self) -> int:
        """How many."""

    @property
    def score(self) -> float | None:
        """Mean likelihood to be API calls; `None` if none was scored."""

    @property
    def with_session(self) -> int:
        """Of the requests, those with a session identifier."""

    @property
    def first_seen(self) -> int | None:
        """Unix seconds."""

    @property
    def last_seen(self) -> int | None:
        """Unix seconds."""


class Store(Protocol):
    """What is asked of the store."""

    def paths(self, hosts: Sequence[str] = (), since: datetime | None = None, until: datetime | None = None) -> Iterable[Sighting]:
        """Count successful requests by host, method and path; no hosts means all."""

    def series(
        self, hosts: Sequence[str], since: datetime, until: datetime, steps: int, limit: int
    ) -> Iterable[tuple[str, str, str, list[tuple[int, int]]]]:
        """Count successful requests of the busiest paths, step by step; no hosts means all."""

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        hosts: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Rows:
        """Ask the table `transactions`; `$hosts`, `$since` and `$until` can be used."""


class RecordedTraffic:
    """
    What a store has recorded.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def hosts(self, since: datetime, until: datetime) -> Iterable[str]:
        """List the hosts that were asked for in a time, as requests name them."""
        return [row["host"] for row in self.store.query(HOSTS, None, (), since, until).to_pylist()]

    def paths(self, hosts: Sequence[str], since: datetime, until: datetime) -> Iterator[PathRow]:
        """List the paths that were answered with 2xx. What was never scored looks like no API call."""
        if not hosts:  # to the store that would mean all
            return
        for seen in self.store.paths(hosts, since, until):
            score = 0.0 if seen.score is None else seen.score
            yield seen.host, seen.method, seen.path, seen.requests, score, seen.with_session, seen.first_seen, seen.last_seen

    def transactions(self, hosts: Sequence[str], since: datetime, until: datetime, limit: int) -> Iterable[Transaction]:
        """Give a sample of transactions without their bodies, the same one for the same rows."""
        if not hosts:
            return []
        return self.store.query(SAMPLE.replace("$$", str(int(limit))), None, hosts, since, until).to_pylist()

    def series(
        self, hosts: Sequence[str], since: datetime, until: datetime, steps: int, limit: int
    ) -> Iterable[tuple[str, str, str, list[tuple[int, int]]]]:
        """Count successful requests of the busiest paths, step by step."""
        return self.store.series(hosts, since, until, steps, limit) if hosts else []

    def of_template(
        self, hosts: Sequence[str], method: str, pattern: str, since: datetime, until: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Give a sample of the successful transactions whose path matches a regular expression (RE2)."""
        if not hosts:
            return []
        sql = OF_TEMPLATE.replace("$$", str(int(limit)))
        return self.store.query(sql, {"method": method, "pattern": pattern}, hosts, since, until).to_pylist()
