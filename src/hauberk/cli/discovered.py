"""Finding candidates by what a person writes: an id, or method, host and endpoint."""

from __future__ import annotations

import re
from typing import Any

from hauberk.cli.failure import Failure
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# The API's order and direction for each word of ours.
_ORDERS = {
    "endpoint": ("endpoint", "asc"),
    "requests": ("traffic_stats.requests", "desc"),
    "updated": ("traffic_stats.last_updated", "desc"),
}


def listed(
    plane: Remote,
    *,
    state: str | None = None,
    host: str | None = None,
    method: str | None = None,
    endpoint: str | None = None,
    origin: str | None = None,
    order: str = "endpoint",
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Read the candidates that fit, in order."""
    column, direction = _ORDERS[order]
    query: dict[str, Any] = {"state": state, "host": host, "method": method.upper() if method else None, "endpoint": endpoint}
    path = plane.zone_path("api_gateway", "discovery", "operations", host=host)
    return list(plane.client.pages(path, limit=limit, origin=origin, order=column, direction=direction, **query))


def find(plane: Remote, words: list[str]) -> list[dict[str, Any]]:
    """
    Find the candidates that words name: ids, or one by method, host and endpoint.

    Raises:
        Failure: If the words name none.
    """
    if words and all(_UUID.fullmatch(word) for word in words):
        wanted = {word.lower() for word in words}
        found = [row for row in listed(plane) if row["id"] in wanted]
        if len(found) < len(wanted):
            missing = sorted(wanted - {row["id"] for row in found})
            raise Failure(f"{missing[0]} is not a candidate's id", "'hauberk discovery list' shows those there are")
        return found
    if len(words) != 3:
        raise Failure(
            "a candidate is an id, or three words: method, host and endpoint", "e.g. GET api.example.com '/users/{id}'; or --all", status=2
        )
    method, host, endpoint = words[0].upper(), words[1].lower(), words[2]
    for row in listed(plane, host=host, method=method):
        if _nameless(row["endpoint"]) == _nameless(endpoint):
            return [row]
    raise Failure(
        f"{method} {host} {endpoint} is not a candidate",
        f"'hauberk discovery explain {method} {host} {endpoint}' tells why, 'hauberk discovery list --host {host}' shows those there are",
    )


def named(row: dict[str, Any]) -> str:
    """Write a candidate for people."""
    return printable(f"{row['method']} {row['host']}{row['endpoint']}")


def _nameless(endpoint: str) -> str:
    """Take the names out of a template's variables: found ones are numbered, so `/users/{id}` is `/users/{var1}`."""
    return re.sub(r"\{[^{}/]*\}", "{}", endpoint)
