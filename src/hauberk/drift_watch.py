"""
Watches for drift: holds what learning sees beside the learned schema in force, and tells of each change once.

It is told in the log, in the database (REST, command line), in metrics, and to the webhook if there is one. The webhook is the last and
waits for nobody; what it has not taken is offered to it again at the next start.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hauberk.alerting.message import message, text
from hauberk.alerting.webhook import Webhook, WebhookSettings
from hauberk.config import AlertSettings
from hauberk.errors import HauberkError, Unavailable
from hauberk.learning.drift import Departure, Enough, departures, has_disappeared
from hauberk.storage.alert_tables import DriftAlert
from hauberk.storage.alerts import Refreshed, mark_delivered, open_alerts, raise_alerts, undelivered, untold
from hauberk.storage.applied_schemas import applied_to
from hauberk.storage.database import Database
from hauberk.storage.learned_versions import VersionContent, content_of, find_version
from hauberk.storage.learning_tables import AppliedSchema
from hauberk.storage.models import Operation, Zone, now
from hauberk.storage.operation_metrics import daily_requests

log = logging.getLogger(__name__)

# What the webhook has not taken for so long is old news.
OFFERED_AGAIN = timedelta(days=1)
DAY_SECONDS = 86400
LOGGED = (
    "zone_id",
    "operation_id",
    "kind",
    "pointer",
    "keyword",
    "refused",
    "samples",
    "sources",
    "version",
    "refreshed_version",
    "breaking",
)


class DriftWatch:
    """
    The watch over all zones.

    Args:
        database: Has the schemas in force, takes the alerts.

        settings: How much it takes, and where it is told.

        registry: Where it counts.

        secret: Signs what the webhook is sent; `None` leaves that unsigned.

        compare: Tells how two documents differ: `{"kind", "where", "what", "breaking"}` for each change.
    """

    def __init__(
        self,
        database: Database,
        settings: AlertSettings,
        registry: CollectorRegistry,
        secret: bytes | None = None,
        compare: Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[dict[str, Any]]] = lambda _before, _after: (),
    ) -> None:
        self.database = database
        self.compare = compare
        self.settings = settings
        self._raised = Counter("hauberk_drift_alerts", "Alerts on drift that were raised", ("kind",), registry=registry)
        registry.register(_OpenAlerts(database))
        self.webhook: Webhook | None = None
        if settings.webhook_url is not None:
            way = WebhookSettings(
                settings.webhook_url, secret, settings.webhook_timeout_seconds, settings.webhook_tries, queue_length=settings.webhook_queue
            )
            self.webhook = Webhook(way, self._delivered, registry)

    @property
    def enough(self) -> Enough:
        """How much it takes to raise an alert."""
        return Enough(self.settings.min_samples, self.settings.min_sources)

    def start(self) -> None:
        """Begin to send to the webhook, what it has not taken yet first."""
        if self.webhook is None:
            return
        self.webhook.start()
        with self.database.read() as session:
            for alert in undelivered(session, now() - OFFERED_AGAIN, self.settings.webhook_queue):
                self._offer(session, alert)

    def stop(self) -> None:
        """End that."""
        if self.webhook is not None:
            self.webhook.stop()

    def watched(self, operation_ids: Sequence[str], /) -> set[str]:
        """Tell which of these operations have a learned schema in force, beside which there can be something new."""
        if not self.settings.enabled:
            return set()
        with self.database.read() as session:
            return set(applied_to(session, operation_ids))

    def has_news(self, operation_id: str, profile: Mapping[str, Any], /) -> bool:
        """Tell whether requests show something that the schema in force does not say, and nobody was told yet."""
        with self.database.read() as session:
            operation = session.get(Operation, operation_id)
            return operation is not None and bool(untold(session, operation, self._departures(session, operation, profile)))

    def tell(self, operation_id: str, profile: Mapping[str, Any], /) -> None:
        """Raise an alert for each change that nobody was told yet."""
        with self.database.write() as session:
            operation = session.get(Operation, operation_id)
            if operation is None:
                return
            found = self._departures(session, operation, profile)
            alerts = raise_alerts(session, operation, found, self._refreshed(session, operation))
        self._publish(alerts)

    def look_for_silence(self) -> None:
        """Raise an alert for each operation that is not called any more."""
        if not self.settings.enabled:
            return
        today = int(now().timestamp()) // DAY_SECONDS
        with self.database.read() as session:
            calls = daily_requests(session)
            # Where nothing is counted at all it is the gateways that are silent.
            if not any(day >= today - 1 for days in calls.values() for day, _ in days):
                return
            gone = {
                operation_id: last
                for operation_id, days in calls.items()
                if (last := has_disappeared(days, today, self.settings.silent_days, self.settings.silent_requests)) is not None
            }
            told = [
                operation_id
                for operation_id, last in gone.items()
                if not untold(session, session.get_one(Operation, operation_id), [_silence(last, today)])
            ]
        for operation_id in sorted(gone.keys() - set(told)):
            with self.database.write() as session:
                operation = session.get(Operation, operation_id)
                if operation is None:
                    continue
                alerts = raise_alerts(session, operation, [_silence(gone[operation_id], today)], self._refreshed(session, operation))
            self._publish(alerts)

    def _departures(self, session: Session, operation: Operation, profile: Mapping[str, Any]) -> list[Departure]:
        content = _in_force(session, operation)
        if content is None:
            return []
        document = json.loads(content.document)
        in_force = document["paths"][operation.endpoint][operation.method.lower()]
        known = {statement["pointer"] for statement in content.statements}
        return departures(in_force, profile, self.enough, known)

    def _refreshed(self, session: Session, operation: Operation) -> Refreshed:
        applied = session.get(AppliedSchema, operation.operation_id)
        if applied is None:
            return Refreshed(None, None)
        newest = find_version(session, operation.operation_id)
        if newest.version == applied.version:
            return Refreshed(applied.version, newest.version)
        changes = self.compare(json.loads(applied.source), json.loads(content_of(newest).document))
        return Refreshed(applied.version, newest.version, changes)

    def _publish(self, alerts: list[DriftAlert]) -> None:
        with self.database.read() as session:
            for alert in alerts:
                self._raised.labels(alert.kind).inc()
                told = {name: getattr(alert, name) for name in LOGGED} | {"alert_id": alert.id}
                log.warning("drift: %s", text(alert), extra=told)
                self._offer(session, alert)

    def _offer(self, session: Session, alert: DriftAlert) -> None:
        if self.webhook is not None:
            zone = session.get(Zone, alert.zone_id)
            self.webhook.offer(alert.id, message(alert, zone.name if zone is not None else ""))

    def _delivered(self, alert_id: str) -> None:
        try:
            with self.database.write() as session:
                mark_delivered(session, alert_id)
        except HauberkError as error:  # it is offered again, under the same id
            log.warning("that an alert was delivered is not noted", extra={"alert_id": alert_id, "reason": error.message})


class _OpenAlerts(Collector):
    """Counts the alerts that wait for the owner at the moment of asking."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def describe(self) -> list[GaugeMetricFamily]:
        """Name the metric without asking the database."""
        return [GaugeMetricFamily("hauberk_drift_alerts_open", "Alerts on drift that nobody has acknowledged", labels=["kind"])]

    def collect(self) -> list[GaugeMetricFamily]:
        """Count; nothing is told while the database does not answer."""
        (family,) = self.describe()
        try:
            with self.database.read() as session:
                counts = open_alerts(session)
        except (Unavailable, SQLAlchemyError):
            return []
        for kind, count in sorted(counts.items()):
            family.add_metric([kind], count)
        return [family]


def _silence(last: int, today: int) -> Departure:
    told = f"is not called any more: the last request came {today - last} days ago"
    # Should it be called again and fall silent again, that is another change.
    return Departure("disappeared", "", "", 0, 0, False, told, str(last))


def _in_force(session: Session, operation: Operation) -> VersionContent | None:
    applied = session.get(AppliedSchema, operation.operation_id)
    return None if applied is None else content_of(find_version(session, operation.operation_id, applied.version))
