"""Which sightings of paths count towards a zone's operations, before their paths are grouped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hauberk.candidate import without_port
from hauberk.operation import METHODS, is_in_zone

PathRow = tuple[str, str, str, int, float, int, int | None, int | None]
"""
One path as it was requested with success, over some time: host, method, path without its query, requests, their mean likelihood to be
API calls, how many of them carried a session identifier, and when it was first and last seen (Unix seconds, `None` where not known).
"""

# Paths of the network in front, not of the API (a proxy's own pages and scripts).
NOT_OF_THE_API = "/cdn-cgi/"


def zone_of_host(host: str, zone_names: Iterable[str]) -> str | None:
    """
    Tell the zone a host belongs to: the longest name it is at or below; `None` if there is none.

    Args:
        host: As requests name it; a port does not matter.

        zone_names: Names of all zones.
    """
    name = without_port(host).lower().removesuffix(".")
    return max((zone for zone in zone_names if is_in_zone(name, zone)), key=len, default=None)


def countable(rows: Iterable[PathRow], zone_name: str, zone_names: Sequence[str]) -> Iterator[PathRow]:
    """
    Leave out what is no operation of a zone: hosts of others, methods no operation has, and `/cdn-cgi/`.

    Hosts lose their port, so that a host on two ports is one.
    """
    belongs: dict[str, str | None] = {}
    for row in rows:
        host, method, path = row[:3]
        if host not in belongs:
            belongs[host] = without_port(host).lower().removesuffix(".") if zone_of_host(host, zone_names) == zone_name else None
        name = belongs[host]
        if name is not None and method in METHODS and not path.startswith(NOT_OF_THE_API):
            yield name, *row[1:]
