"""What discovery needs of others, by what they can do: something that groups paths, and something that has recorded traffic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from hauberk.discovery.carriers import Transaction
from hauberk.discovery.sightings import PathRow


class PathDiscovery(Protocol):
    """Groups paths into templates: `hauberk._native.Discovery`."""

    def observe(self, rows: list[PathRow], /) -> None:
        """Take sightings of paths."""

    def operations(self, rules_json: str, /) -> str:
        """Give the operations as a JSON list of `FoundOperation`, under the owner's rules (`template_rule.owner_rules`)."""

    def explain(self, host: str, method: str, path: str, rules_json: str, /) -> str | None:
        """
        Tell as JSON why a path or endpoint is grouped as it is; `None` if nothing like it was seen.

        An object with at least `host`, `endpoint` and `segments`, each of these with `examples` as they were sent.
        """


class TrafficSource(Protocol):
    """Where traffic is kept."""

    def hosts(self, since: datetime, until: datetime) -> Iterable[str]:
        """List the hosts that were asked for in a time, as requests name them, ports included."""

    def paths(self, hosts: Sequence[str], since: datetime, until: datetime) -> Iterable[PathRow]:
        """List the paths that were answered with 2xx, one row for each host, method and path (or for parts of the time)."""

    def transactions(self, hosts: Sequence[str], since: datetime, until: datetime, limit: int) -> Iterable[Transaction]:
        """Give a sample of whole transactions, secrets masked, spread over the time."""

    def series(
        self, hosts: Sequence[str], since: datetime, until: datetime, steps: int, limit: int
    ) -> Iterable[tuple[str, str, str, list[tuple[int, int]]]]:
        """Count the successful requests of the busiest paths: host, method, path, and requests by the number of the step."""

    def of_template(
        self, hosts: Sequence[str], method: str, pattern: str, since: datetime, until: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Give a sample of successful transactions whose path matches a regular expression (RE2), secrets masked."""
