"""Addresses of pages: quoted, and with only the parameters that say something."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode


def link(zone_name: str | None, *parts: object, **query: object) -> str:
    """Give the address of a page, under a zone if one is named."""
    path = "/".join(quote(str(part), safe="") for part in parts if part != "")
    root = f"/zones/{quote(zone_name, safe='')}" if zone_name else ""
    pairs = {name: value for name, value in query.items() if value not in {None, ""}}
    return (f"{root}/{path}" if path else root or "/") + (f"?{urlencode(pairs, doseq=True)}" if pairs else "")


def query(present: Mapping[str, str], changes: Mapping[str, object]) -> str:
    """Write a query with some parameters changed; empty ones and the last notice are left out."""
    return urlencode({name: value for name, value in {**present, **changes, "notice": ""}.items() if value not in {None, ""}})
