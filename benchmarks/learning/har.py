"""Recorded rows as HAR, for programs that read nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from benchmarks.learning.corpora import Row
from benchmarks.learning.places import content_type


def written(rows: Iterable[Row]) -> str:
    """Give a HAR with these transactions."""
    log = {"version": "1.2", "creator": {"name": "benchmark", "version": "1"}, "entries": [_entry(row) for row in rows]}
    return json.dumps({"log": log}, separators=(",", ":"))


def _entry(row: Row) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": row["method"],
        "url": row["url"],
        "httpVersion": row["http_version"] or "HTTP/1.1",
        "headers": _named(row["request_headers"]),
        "queryString": _named(parse_qsl(urlsplit(row["url"]).query, keep_blank_values=True)),
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(row.get("request_body") or ""),
    }
    if row.get("request_body"):
        media_type = content_type(row) or "application/json"
        request["postData"] = {"mimeType": media_type, "text": row["request_body"]}
        if media_type == "application/x-www-form-urlencoded":
            request["postData"]["params"] = _named(parse_qsl(row["request_body"], keep_blank_values=True))
    content: dict[str, Any] = {"size": row["response_body_size"] or 0, "mimeType": row["response_content_type"] or ""}
    if row.get("response_body"):
        content["text"] = row["response_body"]
    response = {
        "status": row["status"],
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "headers": _named(row["response_headers"]),
        "cookies": [],
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }
    return {
        "startedDateTime": row.get("time") or "2026-01-01T00:00:00.000Z",
        "time": 1,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": 1, "receive": 0},
    }


def _named(pairs: Iterable[Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
