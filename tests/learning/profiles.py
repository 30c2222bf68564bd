"""Profiles of made-up traffic, by the learner itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hauberk import _native

HOST = "api.example.com"


def row(
    method: str = "GET",
    target: str = "/items/1",
    body: Any = None,
    *,
    session: str | None = None,
    time: str | None = None,
    kind: str = "application/json",
) -> dict[str, Any]:
    """A successful transaction."""
    headers = [["Authorization", f"Bearer {session}"]] if session else []
    if body is not None:
        headers.append(["Content-Type", kind])
    text = None if body is None else body if isinstance(body, str) else json.dumps(body)
    return {
        "method": method,
        "host": HOST,
        "url": f"https://{HOST}{target}",
        "request_headers": headers,
        "request_body": text,
        "status": 200,
        "response_headers": [],
        "response_content_type": "application/json",
        "time": time,
    }


def profile_of(rows: Iterable[dict[str, Any]], endpoint: str = "/items/{var1}", *, sessions: bool = False) -> dict[str, Any]:
    """What the learner knows after reading rows, all of one operation."""
    rows = list(rows)
    method = rows[0]["method"]
    identifiers = ["header:authorization"] if sessions else []
    learner = _native.Learner(
        operations=[(method, HOST, endpoint)], session_identifiers=identifiers, only="all", trusted=[], held_back=False
    )
    learner.read("\n".join(json.dumps(each) for each in rows).encode(), format_name="ndjson")
    found: dict[str, Any] = json.loads(learner.profile(method, HOST, endpoint))
    return found
