"""Formats of texts that the gateway can tell: statements tighter than characters, made where all texts have the format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hauberk.learning.choice import Basis, Option
from hauberk.learning.looks import Place
from hauberk.learning.priors import prior
from hauberk.learning.trust import Trust

# The tightest first. What is looser than a text's looks suggest (any word is a hostname, many words are base64) is only taken where the
# name says so.
_TOLD = ("uuid", "date-time", "date", "time", "ipv4", "ipv6", "email", "uri")
_NAMED = {
    "hostname": frozenset(["host", "hostname", "domain", "fqdn", "server", "website"]),
    "byte": frozenset(["base64", "b64", "encoded", "data", "bytes", "blob", "image", "file", "content"]),
}
_JWT = "^eyJ[0-9A-Za-z_-]*\\.[0-9A-Za-z_-]+\\.[0-9A-Za-z_-]*$"


def options(value: Mapping[str, Any], strings: int, place: Place, basis: Basis, trust: Trust, risk: float) -> Iterator[Option]:
    """Say that texts have a format, the tightest that all have."""
    found = value["texts"]["formats"]
    for name in _of_all(found, strings, trust, place):
        known = prior("format", [place.location, f"format:{name}", f"{place.location}/{name}", f"look:{place.look}", f"word:{place.word}"])
        statistic = f"{basis.samples} texts, all {name}"
        keyword, wanted = ("pattern", _JWT) if name == "jwt" else ("format", name)
        yield Option.by(known, keyword, wanted, basis.samples, risk, statistic)


def _of_all(found: Mapping[str, Any], strings: int, trust: Trust, place: Place) -> Iterator[str]:
    among = max((support["sources"] for support in found.values()), default=0)
    for name in (*_TOLD, "jwt", *_NAMED):
        support = found.get(name)
        if support is None:
            continue
        missing = strings - support["requests"]
        if missing > 0 and not (among and missing <= trust.fringe(among)):
            continue
        if name in _NAMED and place.word not in _NAMED[name]:
            continue
        if name == "time" and "date-time" in found:
            continue
        yield name
