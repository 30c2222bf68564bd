"""
Reads flow files of mitmproxy, by mitmproxy's own code, if it is installed.

Their form changes with mitmproxy's versions, and only mitmproxy knows all of them. Who does not want it here lets it
write a HAR where it is: `mitmdump -nr flows --set hardump=flows.har`.
"""

from __future__ import annotations

import base64
import importlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hauberk.errors import InvalidCapture

MAX_BODY_BYTES = 64 * 1024
"""Bodies longer than this are not kept; the same as of other formats."""

_BATCH_FLOWS = 500
_DEFAULT_PORTS = {"http": 80, "https": 443}


def read(file: Path) -> Iterator[tuple[list[bytes], str | None]]:
    """
    Read a flow file.

    Returns:
        Batches of flows, each as a line of JSON, or empty where it is no HTTP; and why the file ends before its end, if it does.

    Raises:
        InvalidCapture: If mitmproxy is not installed, or the file cannot be opened.
    """
    try:
        io, http, exceptions = (importlib.import_module(f"mitmproxy.{name}") for name in ("io", "http", "exceptions"))
    except ImportError:
        raise InvalidCapture(
            f"{file}: a flow file of mitmproxy, which the Python package 'mitmproxy' must read, and that is not installed: "
            "'pip install mitmproxy', or write a HAR where it is: 'mitmdump -nr FLOWS --set hardump=FLOWS.har'"
        ) from None
    try:
        with sys.stdin.buffer if file == Path("-") else file.open("rb") as stream:
            yield from _batches(io.FlowReader(stream).stream(), http.HTTPFlow, exceptions.FlowReadException)
    except OSError as error:
        raise InvalidCapture(f"{file}: cannot be read: {error.strerror}") from None


def _batches(flows: Iterator[Any], http_flow: type, read_error: type[Exception]) -> Iterator[tuple[list[bytes], str | None]]:
    lines: list[bytes] = []
    cut_short = None
    try:
        for flow in flows:
            lines.append(json.dumps(record(flow)).encode() if isinstance(flow, http_flow) else b"")
            if len(lines) >= _BATCH_FLOWS:
                yield lines, None
                lines = []
    except read_error:
        cut_short = "the flow file is cut off or damaged; what came before was read"
    yield lines, cut_short


def record(flow: Any) -> dict[str, Any]:
    """Write a flow (`mitmproxy.http.HTTPFlow`) as a record."""
    request, response = flow.request, flow.response
    host = request.pretty_host.lower()
    if request.port != _DEFAULT_PORTS.get(request.scheme):
        host += f":{request.port}"
    found: dict[str, Any] = {
        "host": host,
        "method": request.method,
        "url": request.pretty_url,
        "http_version": request.http_version.removesuffix(".0") if request.http_version.startswith("HTTP/2") else request.http_version,
        "request_headers": _headers(request),
        "request_body": None,
        "status": response.status_code if response else 0,
        "response_headers": _headers(response) if response else [],
        "response_body_size": None,
        "response_content_type": response.headers.get("content-type") if response else None,
        "time": datetime.fromtimestamp(request.timestamp_start, UTC).isoformat(),
    }
    body = request.get_content(strict=False)
    if body and len(body) > MAX_BODY_BYTES:
        found["request_body_omitted"] = len(body)
    elif body:
        try:
            found["request_body"] = body.decode()
        except UnicodeDecodeError:
            found["request_body_b64"] = base64.b64encode(body).decode()
    content = response.get_content(strict=False) if response else None
    if content is not None:
        found["response_body_size"] = len(content)
        if len(content) < MAX_BODY_BYTES and _is_json(content):
            found["response_body"] = content.decode()
    if flow.client_conn is not None and flow.client_conn.peername:
        found["client"] = flow.client_conn.peername[0]
    if flow.websocket is not None:
        found["resource_type"] = "websocket"
    return found


def _headers(message: Any) -> list[tuple[str, str]]:
    return [
        (name.decode(errors="replace"), value.decode(errors="replace"))
        for name, value in message.headers.fields
        if not name.startswith(b":")
    ]


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
