"""A transaction's noun: one request and its response, as captures hold it and the traffic store keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    One request and its response. The members are those of `Transaction` in `crates/traffic`, and of each line of our JSON lines.

    >>> line = '{"host": "a.example", "method": "GET", "url": "https://a.example/x", "status": 200}'
    >>> Transaction.from_line(line).status
    200
    """

    host: str
    """In lower case, with its port if that is not the default one of the scheme."""

    method: str
    """As sent, such as `GET`."""

    url: str
    """The full URL with its query, or the request target where a log does not tell the scheme."""

    status: int = 0
    """The response's; 0 where there was none."""

    http_version: str | None = None
    """Such as `HTTP/1.1` or `HTTP/2`; `None` if the recorder did not say."""

    request_headers: tuple[tuple[str, str], ...] = ()
    """Names and values in the order they were sent; none at all where the recorder did not keep them."""

    request_body: str | None = None
    """The body as text."""

    request_body_b64: str | None = None
    """The body in base64 where it is no text."""

    request_body_omitted: int | None = None
    """The size in bytes of a body that is not kept."""

    response_headers: tuple[tuple[str, str], ...] = ()
    """Like those of the request."""

    response_body_size: int | None = None
    """The size in bytes of the decoded body where known, else what `Content-Length` says."""

    response_content_type: str | None = None
    """With its parameters."""

    response_body: str | None = None
    """Only JSON is kept."""

    resource_type: str | None = None
    """What a browser fetched it as, in lower case: `xhr`, `document`, `image`, …"""

    time: str | None = None
    """When the request was sent, in ISO 8601, as precise as the recorder was."""

    client: str | None = None
    """A pseudonym of the client's address."""

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Transaction:
        """
        Take a record of a capture; members of other names are left out.

        Raises:
            KeyError: If host, method or URL is missing.
        """
        known = {name: record[name] for name in _OPTIONAL if record.get(name) is not None}
        for name in ("request_headers", "response_headers"):
            if name in known:
                known[name] = tuple((str(key), str(value)) for key, value in known[name])
        return cls(host=record["host"], method=record["method"], url=record["url"], **known)

    @classmethod
    def from_line(cls, line: str | bytes) -> Transaction:
        """
        Read a line of our JSON lines.

        Raises:
            ValueError: If it is no JSON.

            KeyError: If host, method or URL is missing.
        """
        return cls.from_record(json.loads(line))

    @property
    def target(self) -> str:
        """Path and query; `/` where the URL has none."""
        _, scheme, rest = self.url.partition("://")
        if not scheme:
            return self.url or "/"
        at = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
        return rest[at:] or "/"


_OPTIONAL = tuple(field.name for field in fields(Transaction) if field.name not in {"host", "method", "url"})
