"""What a gateway would bring: counts of requests and events, made up for pages to show."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from dashboard.conftest import HOST_NAME, Site

VERDICTS = ("passed", "logged", "blocked_certificate", "blocked_rule", "blocked_schema", "blocked_other")
OTHERS = ("protected", "with_certificate", "fallthrough", "client_errors", "server_errors")


def as_gateway(site: Site) -> httpx.Client:
    """Give a REST client with a gateway's token."""
    token = (site.plane.settings.state_dir / "gateway-token").read_text().strip()
    return httpx.Client(base_url=site.url + "/hauberk/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def bring_counts(site: Site, host: str = HOST_NAME, **counts: int) -> None:
    """Count requests of this minute; give some of `VERDICTS` and `OTHERS`."""
    entry = {
        "zone_id": site.zone_id,
        "host": host,
        "minute": int(time.time()) // 60 * 60,
        **dict.fromkeys((*VERDICTS, *OTHERS), 0),
        **counts,
    }
    entry["requests"] = sum(entry[name] for name in VERDICTS)
    with as_gateway(site) as client:
        client.post("/gateways/g1/request-counts", json={"batch_id": uuid.uuid4().hex, "metrics": [entry]}).raise_for_status()


def bring_events(site: Site, *changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Report an event for each mapping, the first the newest; members that are left out are those of a refused, ambiguous path."""
    made = []
    for place, change in enumerate(changes):
        at = (datetime.now(UTC) - timedelta(seconds=10 * place)).isoformat(timespec="milliseconds")
        ids = {"id": uuid.uuid4().hex, "request_id": uuid.uuid4().hex, "zone_id": site.zone_id, "occurred_at": at}
        texts = {"host": HOST_NAME, "method": "GET", "path": "/a", "action": "block", "source": "apiShield", "reason": "ambiguous_path"}
        rest = {"operation_id": None, "rule_id": None, "violation": None, "violations": [], "status": 400, "client_certificate": None}
        made.append({**ids, **texts, **rest, "client_address": "192.0.2.7", **change})
    with as_gateway(site) as client:
        client.post("/events", json={"events": made}).raise_for_status()
    return made


def beat(site: Site, name: str = "edge-1", **change: Any) -> None:
    """Report a gateway that enforces the newest snapshot."""
    snapshot = site.plane.snapshot()
    body = {"name": name, "version": snapshot.version, "etag": snapshot.etag, "started_at": datetime.now(UTC).isoformat(), **change}
    with as_gateway(site) as client:
        client.put(f"/gateways/{name}", json=body).raise_for_status()
