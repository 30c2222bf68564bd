"""
Turn the browser's network events into records, one for each request that was answered over the network.

Requests that no server answered (failed, blocked, served from the cache or by a service worker) leave no record: a
gateway would not have seen them either.
"""

import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cdp import MAX_BODY_BYTES, Wire
from mask import mask_body, mask_header, mask_url

Record = dict[str, Any]

_ASSET = re.compile(
    r"^(text/html|application/xhtml\+xml|text/css|image/|font/|audio/|video/|application/(x-)?font|application/vnd\.ms-fontobject"
    r"|(text|application)/(x-)?(java|ecma)script|application/wasm)"
)
_CALLS = frozenset({"xhr", "fetch", "eventsource"})
_PAGE = frozenset({"image", "script", "stylesheet", "font", "media", "document", "manifest", "texttrack"})
_VERSIONS = {"http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", "h2": "HTTP/2", "h3": "HTTP/3", "websocket": "HTTP/1.1"}


def label(resource_type: str, content_type: str | None) -> str:
    """Say what a transaction is: `api`, `web` or `ambiguous`, from Chrome's own label and the answer's type."""
    if resource_type in _PAGE:
        return "web"
    if resource_type in _CALLS:
        return "ambiguous" if _ASSET.match((content_type or "").lower()) else "api"
    return "ambiguous"


@dataclass
class _Hop:
    """One request and its answer; a chain of redirects is several hops under one request id."""

    sent: dict[str, Any]
    response: dict[str, Any] | None = None
    kind: str = "Other"
    extra: bool = False
    size: int | None = None
    cached: bool = False
    last: bool = True


@dataclass
class _Chain:
    hops: list[_Hop] = field(default_factory=list)
    sent_extra: list[dict[str, Any]] = field(default_factory=list)
    received_extra: list[dict[str, Any]] = field(default_factory=list)


def assemble(wire: Wire, source: str, scenario: str) -> Iterator[Record]:
    """Yield the records of what `wire` heard, in the order of the requests, secrets masked."""
    for key, chain in _chains(wire).items():
        extras = iter(range(len(chain.received_extra)))
        for hop in chain.hops:
            index = next(extras, None) if hop.extra else None
            if hop.response is None or hop.cached:
                continue
            sent = chain.sent_extra[index] if index is not None and index < len(chain.sent_extra) else None
            received = chain.received_extra[index] if index is not None else None
            record = _record(wire, key, hop, sent, received)
            if record is not None:
                yield {"source": source, "file": scenario, **record}


def _chains(wire: Wire) -> dict[tuple[str, str], _Chain]:
    chains: dict[tuple[str, str], _Chain] = defaultdict(_Chain)
    for event in wire.events:
        params, chain = event.params, chains[event.session, event.params["requestId"]]
        name = event.method.removeprefix("Network.")
        if name == "requestWillBeSent":
            if chain.hops and "redirectResponse" in params:
                chain.hops[-1].response = params["redirectResponse"]
                chain.hops[-1].extra = params.get("redirectHasExtraInfo", False)
                chain.hops[-1].last = False
            chain.hops.append(_Hop(params, kind=params.get("type", "Other")))
        elif name == "webSocketCreated":
            chain.hops.append(_Hop({"request": {"url": params["url"], "method": "GET", "headers": {}}}, kind="WebSocket"))
        elif name == "requestWillBeSentExtraInfo":
            chain.sent_extra.append(params)
        elif name == "responseReceivedExtraInfo":
            chain.received_extra.append(params)
        elif chain.hops:
            _apply(chain.hops[-1], name, params)
    return chains


def _apply(hop: _Hop, name: str, params: dict[str, Any]) -> None:
    if name == "responseReceived":
        hop.response, hop.kind, hop.extra = params["response"], params["type"], params.get("hasExtraInfo", False)
        hop.cached = hop.cached or any(
            params["response"].get(where) for where in ("fromDiskCache", "fromServiceWorker", "fromPrefetchCache")
        )
    elif name == "requestServedFromCache":
        hop.cached = True
    elif name == "dataReceived":
        hop.size = (hop.size or 0) + params["dataLength"]
    elif name == "loadingFinished":
        hop.size = hop.size or 0
    elif name == "webSocketWillSendHandshakeRequest":
        hop.sent["wallTime"] = params["wallTime"]
        hop.sent["request"]["headers"] = params["request"]["headers"]
    elif name == "webSocketHandshakeResponseReceived":
        hop.response = {**params["response"], "protocol": "http/1.1"}


def _record(wire: Wire, key: tuple[str, str], hop: _Hop, sent: dict[str, Any] | None, received: dict[str, Any] | None) -> Record | None:
    request, response = hop.sent["request"], hop.response or {}
    split = urlsplit(request["url"])
    status = (received or {}).get("statusCode") or response.get("status", 0)
    if split.scheme not in {"http", "https", "ws", "wss"} or not status:
        return None
    request_headers = _pairs((sent or {}).get("headers") or response.get("requestHeaders") or request["headers"])
    response_headers = _pairs((received or {}).get("headers") or response.get("headers", {}))
    declared = next((value for name, value in response_headers if name.lower() == "content-type"), None)
    length = next((value for name, value in response_headers if name.lower() == "content-length"), "")
    kind = hop.kind.lower()
    body = wire.bodies.get(key) if hop.last and status != 304 else None
    record: Record = {
        "host": split.netloc,
        "method": request["method"],
        "url": mask_url(request["url"]),
        "http_version": _VERSIONS.get(response.get("protocol", "")),
        "request_headers": [[name, mask_header(name, value)] for name, value in request_headers],
        **_request_body(request, wire.posted.get(key)),
        "status": status,
        "response_headers": [[name, mask_header(name, value)] for name, value in response_headers],
        "response_body_size": hop.size if hop.size is not None else int(length) if length.isdigit() else None,
        "response_content_type": declared,
    }
    if body is not None and len(body.encode()) < MAX_BODY_BYTES and _is_json(body):
        record["response_body"] = mask_body(body, "application/json")
    return {
        **record,
        "resource_type": kind,
        "time": datetime.fromtimestamp(hop.sent.get("wallTime", 0), UTC).isoformat(timespec="milliseconds"),
        # A 304 names no type: Chrome then tells that of the copy it holds.
        "label": label(kind, declared or response.get("mimeType")),
        "label_src": "resource_type",
    }


def _pairs(headers: dict[str, str]) -> list[tuple[str, str]]:
    """Split the values that Chrome joined with line breaks; HTTP/2's pseudo headers are left out."""
    return [(name, value) for name, joined in headers.items() if not name.startswith(":") for value in joined.split("\n")]


def _request_body(request: dict[str, Any], fetched: str | None) -> Record:
    entries = [entry["bytes"] for entry in request.get("postDataEntries", []) if "bytes" in entry]
    text = request.get("postData", fetched)
    raw = b"".join(base64.b64decode(entry) for entry in entries) if entries else text.encode() if text is not None else None
    if raw is None:
        return {"request_body": None}
    if len(raw) > MAX_BODY_BYTES:
        return {"request_body": None, "request_body_omitted": len(raw)}
    try:
        decoded = raw.decode()
    except UnicodeDecodeError:
        return {"request_body": None, "request_body_b64": base64.b64encode(raw).decode()}
    content_type = next((value for name, value in request["headers"].items() if name.lower() == "content-type"), "")
    return {"request_body": mask_body(decoded, content_type)}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def distinct(records: Iterator[Record]) -> Iterator[Record]:
    """Leave out exact repetitions: same method, address, request body, status and answer."""
    seen = set()
    for record in records:
        parts = [record["method"], record["url"], record.get("request_body"), record["status"], record["response_body_size"]]
        digest = hashlib.sha256(json.dumps([*parts, record.get("response_body")]).encode()).digest()
        if digest not in seen:
            seen.add(digest)
            yield record
