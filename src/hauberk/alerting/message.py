"""What a webhook is told of an alert. Names of parameters and members are in it, values of the traffic never."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol


class Alert(Protocol):
    """An alert on drift, as it is stored."""

    id: Any
    zone_id: Any
    operation_id: Any
    method: Any
    host: Any
    endpoint: Any
    kind: Any
    pointer: Any
    keyword: Any
    summary: Any
    refused: Any
    samples: Any
    sources: Any
    version: Any
    refreshed_version: Any
    breaking: Any
    changes: Any
    raised_at: Any
    acknowledged_at: Any
    delivered_at: Any


def alert_json(alert: Alert) -> dict[str, Any]:
    """Render an alert without the changes of its schema: those can name values of an enumeration."""
    return {
        "id": alert.id,
        "operation_id": alert.operation_id,
        "method": alert.method,
        "host": alert.host,
        "endpoint": alert.endpoint,
        "kind": alert.kind,
        "pointer": alert.pointer,
        "keyword": alert.keyword,
        "summary": alert.summary,
        "refused": alert.refused,
        "samples": alert.samples,
        "sources": alert.sources,
        "version": alert.version,
        "refreshed_version": alert.refreshed_version,
        "breaking": alert.breaking,
        "raised_at": _time(alert.raised_at),
        "acknowledged_at": _time(alert.acknowledged_at),
        "delivered_at": _time(alert.delivered_at),
    }


def message(alert: Alert, zone: str) -> dict[str, Any]:
    """Make the body that is posted."""
    told = alert_json(alert)
    schema = {
        "version": told.pop("version"),
        "refreshed_version": told.pop("refreshed_version"),
        "breaking": told.pop("breaking"),
        "changes": [{"kind": change["kind"], "where": change["where"], "breaking": change["breaking"]} for change in alert.changes],
    }
    for name in ("acknowledged_at", "delivered_at"):
        del told[name]
    return {"type": "schema_drift", "zone": zone, **told, "text": text(alert), "schema": schema}


def text(alert: Alert) -> str:
    """Say an alert in a sentence, such as `GET api.example.com/users: query/page goes above maximum, which is 100`."""
    where = f"{alert.method} {alert.host}{alert.endpoint}"
    return f"{where}: {alert.pointer} {alert.summary}" if alert.pointer else f"{where} {alert.summary}"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
