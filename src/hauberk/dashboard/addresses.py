"""Addresses of pages: quoted, and with only the parameters that say something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

# A path of this site and nothing that a browser could read as another host: it takes `\\` for `/`, and leaves out white space.
_OWN = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f-\uffff]{0,2000}")


def link(zone_name: str | None, *parts: object, **query: object) -> str:
    """Give the address of a page, under a zone if one is named."""
    path = "/".join(quote(str(part), safe="") for part in parts if part != "")
    root = f"/zones/{quote(zone_name, safe='')}" if zone_name else ""
    pairs = {name: value for name, value in query.items() if value not in {None, ""}}
    return (f"{root}/{path}" if path else root or "/") + (f"?{urlencode(pairs, doseq=True)}" if pairs else "")


def query(present: Mapping[str, str], changes: Mapping[str, object]) -> str:
    """Write a query with some parameters changed; empty ones and the last notice are left out."""
    return urlencode({name: value for name, value in {**present, **changes, "notice": ""}.items() if value not in {None, ""}})


def own_address(address: str) -> str:
    """
    Give an address to send a visitor to, if it is one of this site; else that of the first page.

        >>> own_address("/zones/example.com?page=2"), own_address("//example.org"), own_address("https://example.org")
        ('/zones/example.com?page=2', '/', '/')
    """
    return address if _OWN.fullmatch(address) else "/"
