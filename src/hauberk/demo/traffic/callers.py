"""Who calls the demo's shop, and what they have in hand to make a request of."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from hauberk.demo.traffic.exchange import JSON, Sent


@dataclass
class Caller:
    """
    One caller: an app, a partner's program, a device, a browser, or somebody nobody has asked to come.

    Args:
        name: Tells callers apart.

        address: Where its connection comes from.

        host: Whom it calls.

        headers: What it sends each time.

        certificate: The name of its client certificate.
    """

    name: str
    address: str
    host: str
    headers: Mapping[str, str]
    certificate: str | None = None

    def asks(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Sent:  # fmt: skip
        """Make a request; a body that is no bytes goes as JSON."""
        given = {**self.headers, **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given["Content-Type"] = JSON
        target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        return Sent(self.name, self.address, method, self.host, target, given, body, self.certificate)


@dataclass
class Moment:
    """What a request is made from: chance, the time, and whether it is after the release that brings something new."""

    chance: random.Random
    now: datetime
    released: bool = False

    def iso(self) -> str:
        """Write the time as devices do."""
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
