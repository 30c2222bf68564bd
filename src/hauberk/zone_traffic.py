"""What was recorded of one zone in the window that discovery looks at: its hosts, paths and samples, without those of other zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from hauberk.discovery.carriers import Transaction
from hauberk.discovery.ports import TrafficSource
from hauberk.discovery.sightings import PathRow, countable, zone_of_host
from hauberk.storage.candidates import Window

# Rows that cross into Rust at a time.
BATCH = 20_000


@dataclass(frozen=True)
class ZoneTraffic:
    """The recorded traffic of a zone."""

    source: TrafficSource
    zone_id: str
    zone_name: str

    zone_names: tuple[str, ...]
    """Of all zones: a host belongs to the longest it is at or below."""

    window: Window

    @cached_property
    def hosts(self) -> list[str]:
        """The zone's hosts as requests name them, ports included."""
        asked_for = self.source.hosts(self.window.since, self.window.until)
        return sorted(host for host in asked_for if zone_of_host(host, self.zone_names) == self.zone_name)

    def paths(self, hosts: Sequence[str] | None = None) -> Iterator[list[PathRow]]:
        """Give the paths that count towards operations, of these hosts or of all, some thousands at a time."""
        rows = self.source.paths(self.hosts if hosts is None else hosts, self.window.since, self.window.until)
        counting = countable(rows, self.zone_name, self.zone_names)
        while batch := list(islice(counting, BATCH)):
            yield batch

    def sample(self, limit: int) -> Iterable[Transaction]:
        """Give at most so many transactions, spread over the window."""
        return islice(self.source.transactions(self.hosts, self.window.since, self.window.until, limit), limit)
