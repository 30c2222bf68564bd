"""Where a transaction carries values that may tell who is calling: its request headers, its cookies, claims of a bearer JWT."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

Transaction = Mapping[str, Any]
"""
A transaction as our NDJSON has it. Read here are `status`, `host`, `method`, `client` and the lists of `[name, value]`
`request_headers` and `response_headers`; what is missing is not known.
"""


class Carrier(NamedTuple):
    """One place a value is carried."""

    type: Literal["header", "cookie", "jwt"]

    name: str
    """A header's in lower case, a cookie's as it is, a claim's as JSONPath: `$.sub`."""


# Headers that say what is wanted, sent or by which software, and never who: nearly every request has many of them.
_IMPERSONAL_NAMES = """
    accept accept-charset accept-encoding accept-language accept-datetime access-control-request-headers access-control-request-method age
    cache-control connection content-disposition content-encoding content-language content-length content-md5 content-range content-type
    cookie date dnt downlink dpr early-data ect etag expect forwarded host http2-settings if-match if-modified-since if-none-match
    if-range if-unmodified-since keep-alive last-modified max-forwards origin pragma prefer priority proxy-connection range referer rtt
    save-data sec-gpc te trailer transfer-encoding upgrade upgrade-insecure-requests user-agent vary via viewport-width warning width
    x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-server x-http-method-override x-real-ip
    x-requested-with
"""
_IMPERSONAL = frozenset(_IMPERSONAL_NAMES.split())
_IMPERSONAL_PREFIXES = ("sec-", "content-", "accept-", "x-stainless-", "x-amz-content-", "x-goog-api-client")

# Claims that name who calls, or the session; others (times, audience, scopes) are no identity.
_CLAIMS = ("sub", "sid", "email", "client_id", "azp", "user_id", "uid", "username", "preferred_username", "jti")
MAX_TOKEN_CHARACTERS = 16_384

_JWT = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*")


def carried(transaction: Transaction) -> Iterator[tuple[Carrier, str]]:
    """List what a request carries, each place once; an empty value is none."""
    seen: set[Carrier] = set()
    for carrier, value in _all_carried(transaction):
        if value and carrier not in seen:
            seen.add(carrier)
            yield carrier, value


def handed_out(transaction: Transaction) -> Iterator[str]:
    """List the names of cookies that the response sets."""
    for name, value in _pairs(transaction.get("response_headers")):
        if name.lower() == "set-cookie" and "=" in value:
            yield value.partition("=")[0].strip()


def has_header(transaction: Transaction, name: str) -> bool:
    """Tell whether a request has a header, its name in lower case."""
    return any(sent.lower() == name for sent, _ in _pairs(transaction.get("request_headers")))


def succeeded(transaction: Transaction) -> bool:
    """Tell whether the answer was a 2xx."""
    status = transaction.get("status")
    return isinstance(status, int) and 200 <= status < 300


def _all_carried(transaction: Transaction) -> Iterator[tuple[Carrier, str]]:
    for name, value in _pairs(transaction.get("request_headers")):
        lower = name.lower()
        if lower == "cookie":
            for pair in value.split(";"):
                cookie, _, content = pair.partition("=")
                if cookie.strip():
                    yield Carrier("cookie", cookie.strip()), content.strip()
        elif lower not in _IMPERSONAL and not lower.startswith((":", *_IMPERSONAL_PREFIXES)):
            yield Carrier("header", lower), value.strip()
            if lower == "authorization":
                yield from _claims(value)


def _claims(value: str) -> Iterator[tuple[Carrier, str]]:
    """Read the claims of a bearer token that is an unmasked JWT; a masked one has none to read."""
    scheme, _, token = value.partition(" ")
    match = _JWT.fullmatch(token.strip()) if scheme.lower() == "bearer" and len(token) <= MAX_TOKEN_CHARACTERS else None
    if match is None:
        return
    try:
        claims = json.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
    except (ValueError, RecursionError):
        return
    if isinstance(claims, dict):
        for name in _CLAIMS:
            if isinstance(claims.get(name), str | int):
                yield Carrier("jwt", f"$.{name}"), str(claims[name])


def _pairs(headers: Any) -> Iterable[tuple[str, str]]:
    if not isinstance(headers, Iterable) or isinstance(headers, str):
        return
    for pair in headers:
        if isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], str):
            yield pair[0], pair[1]
