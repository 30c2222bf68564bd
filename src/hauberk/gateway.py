"""
Runs a gateway: the Rust core serves requests; threads here fetch its snapshots, carry its events away and tell how it is.

None of these threads is on the request path. While the control plane is away the gateway serves from its last good snapshot, after a
restart from the copy on disk.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import platform
import threading
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from hauberk import _native
from hauberk.config import EventSettings, Settings
from hauberk.errors import ConfigurationError, SnapshotRefused, StorageError
from hauberk.snapshot.copy import SnapshotCopy
from hauberk.snapshot.document import Snapshot, decode
from hauberk.told_settings import ToldSettings
from hauberk.traffic.masking_key import masking_key

if TYPE_CHECKING:
    from hauberk.traffic.keeper import TrafficKeeper

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_SECONDS = 10
EVENTS_IN_A_BATCH = 500
METRICS_SECONDS = 10
# A page that is looked at shows a request within seconds.
REQUEST_COUNTS_SECONDS = 5
METRICS_IN_A_BATCH = 1000
# Events that wait here while the control plane is away; the file has them all the same.
EVENTS_WAITING = 50_000
# Answers that would be the same the next time.
NEVER_TAKEN = frozenset({400, 413, 422})


class GatewayRunner:
    """
    A gateway and the threads that serve it.

    Args:
        settings: Checked settings.

        control_plane_url: Where snapshots come from, e.g. `http://127.0.0.1:8080`.

        token: A token of scope `gateway`.

    Raises:
        ConfigurationError: If an address cannot be bound.
        StorageError: If the state folder cannot be used.
    """

    def __init__(self, settings: Settings, control_plane_url: str, token: str) -> None:
        self.told = ToldSettings(settings)
        settings = self.told.laid_over()
        self.settings = settings
        try:
            self.core = _native.Gateway(
                https=settings.gateway.https,
                http=settings.gateway.http,
                threads=settings.gateway.threads,
                max_connections=settings.gateway.max_connections,
                traffic_queue_bytes=settings.traffic.queue_bytes,
            )
        except _native.GatewayError as error:
            raise ConfigurationError(f"gateway: {error}") from None
        self.started_at = datetime.now(UTC)
        self.enforced_etag: str | None = None
        self.refused: tuple[str, int, str] | None = None
        """ETag and version of a snapshot that will not be enforced, and why."""
        self.stopping = threading.Event()
        self.copy = SnapshotCopy(settings.state_dir / "snapshot")
        self.gateway_id = _persistent_id(settings.state_dir / "gateway-id")
        self.client = httpx.Client(
            base_url=control_plane_url.rstrip("/") + "/hauberk/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=REQUEST_TIMEOUT_SECONDS,
        )
        self.events = EventCarrier(settings, self.client)
        path = f"/gateways/{self.gateway_id}"
        self.metrics = CountsCarrier(self.core.take_operation_metrics, self.client, f"{path}/operation-metrics", METRICS_SECONDS)
        self.requests = CountsCarrier(self.core.take_request_metrics, self.client, f"{path}/request-counts", REQUEST_COUNTS_SECONDS)
        self.traffic: TrafficKeeper | None = None
        self._threads: list[threading.Thread] = []
        self._record(settings)

    def run(self) -> None:
        """Serve until `stop`. What is on disk is enforced before the first request is answered."""
        self._start_from_copy()
        self._keep_traffic()
        self.follow_once()
        self._start("snapshots", self._follow)
        self._start("events", self._carry_events)
        self._start("operation-metrics", self.metrics.run, self.stopping)
        self._start("request-counts", self.requests.run, self.stopping)
        try:
            self.core.run()
        finally:
            self.stopping.set()
            for thread in self._threads:  # those that another one starts meanwhile, too
                thread.join(REQUEST_TIMEOUT_SECONDS)
            # Only now has the gateway counted and masked all it had.
            if self.traffic is not None:
                self.traffic.close()
            self.metrics.carry()
            self.requests.carry()
            self.events.close()
            self.client.close()

    def stop(self) -> None:
        """Let `run` return once the requests under way have ended, or the grace is over."""
        self.stopping.set()
        self.core.stop(self.settings.gateway.grace_seconds)

    @property
    def ready(self) -> bool:
        """Whether a snapshot is enforced."""
        return self.core.version is not None

    def follow_once(self) -> None:
        """Report to the control plane; fetch and enforce another snapshot if it has one. Failure is logged, never raised."""
        try:
            newest = self._report()
            # Not the version: after a restore from a backup the same number stands for something else.
            if newest != self.enforced_etag and (self.refused is None or self.refused[0] != newest):
                response = self.client.get("/snapshot")
                response.raise_for_status()
                snapshot = decode(response.content)
                if snapshot.etag != newest:
                    self._report()  # settings may belong to it that were not told before
                self._enforce(snapshot)
                self._report()
        except httpx.HTTPError as error:
            _log_trouble("the control plane does not answer; what is enforced stays", error)
        except SnapshotRefused as error:
            _log_trouble("a snapshot was refused; what is enforced stays", error)
        except Exception as error:  # noqa: BLE001 - whatever came back: the thread must live to hear of the next revocation
            _log_trouble("the control plane answered something else than it should; what is enforced stays", error)

    def _start(self, name: str, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _record(self, settings: Settings) -> None:
        """
        Record traffic by these settings from the next exchange on; the first time anything is recorded, the store is opened.

        Raises:
            StorageError: If the masking key or the state folder cannot be used; what was recorded before still is.
            ConfigurationError: If the store's address is none.
        """
        traffic = settings.traffic
        samples = traffic.sample_rate > 0 and traffic.max_per_second > 0
        # Where nothing is sampled any more, what is there still has to go in time.
        if self.traffic is None and (samples or Path(settings.traffic_store).is_dir()):
            self.traffic = _traffic_keeper(self.core, settings, self.gateway_id)
        if self.traffic is not None:
            self.traffic.store.keep_days, self.traffic.store.max_bytes = traffic.keep_days, traffic.max_bytes
        self.core.sample(
            masking_key(settings.state_dir) if samples else None,
            rate=traffic.sample_rate,
            max_per_second=traffic.max_per_second,
            max_body_bytes=traffic.max_body_bytes if traffic.bodies == "json" else 0,
        )
        self.settings = settings

    def _keep_traffic(self) -> None:
        """Keep what is recorded, once there is a store."""
        if self.traffic is not None:
            self._start("traffic", self.traffic.keep, self.stopping)
            self._start("traffic-tidy", self.traffic.tidy, self.stopping)

    def _start_from_copy(self) -> None:
        try:
            snapshot = self.copy.load()
            if snapshot is not None:
                self._apply(snapshot)
                log.info("serving from the copy on disk", extra={"version": snapshot.version})
        except (SnapshotRefused, StorageError) as error:
            log.error("the copy on disk is of no use; a new one is fetched", extra={"reason": error.message})  # noqa: TRY400

    def _apply(self, snapshot: Snapshot) -> None:
        try:
            warnings = self.core.apply_snapshot(snapshot.data)
        except _native.RefusedError as error:
            raise SnapshotRefused(str(error)) from None
        self.enforced_etag = snapshot.etag
        for warning in warnings:
            log.warning("snapshot: %s", warning, extra={"version": snapshot.version})

    def _enforce(self, snapshot: Snapshot) -> None:
        try:
            self._apply(snapshot)
        except SnapshotRefused as error:
            self.refused = (snapshot.etag, snapshot.version, error.message)
            log.error("a snapshot was refused; what is enforced stays", extra={"version": snapshot.version, "reason": error.message})  # noqa: TRY400
            return
        self.refused = None
        log.info("snapshot enforced", extra={"version": snapshot.version})
        try:
            self.copy.store(snapshot)
        except StorageError as error:
            log.error("the snapshot is enforced, but a restart would not have it", extra={"reason": error.message})  # noqa: TRY400

    def _report(self) -> str:
        """Send a heartbeat; the answer is the newest snapshot's ETag."""
        _, refused_version, refused_reason = self.refused or (None, None, None)
        heartbeat = {
            "name": platform.node(),
            "version": self.core.version,
            "etag": self.enforced_etag,
            "refused_version": refused_version,
            "refused_reason": refused_reason and refused_reason[:4000],
            "events_dropped": self.core.events_dropped + self.events.dropped,
            "transactions_dropped": self.core.transactions_dropped + (self.traffic.lost if self.traffic is not None else 0),
            "started_at": self.started_at.isoformat(),
        }
        response = self.client.put(f"/gateways/{self.gateway_id}", json=heartbeat)
        response.raise_for_status()
        result = response.json()["result"]
        self._follow_settings(dict(result.get("settings") or {}))
        return str(result["etag"])

    def _follow_settings(self, told: dict[str, Any]) -> None:
        """Work by the settings that the control plane tells, from now on and at the next start. Failure is logged, never raised."""
        self.told.keep(told)
        settings = self.told.laid_over()
        if settings.traffic == self.settings.traffic:
            return
        had_store = self.traffic is not None
        try:
            self._record(settings)
        except Exception as error:  # noqa: BLE001 - whatever a disk or the store says: a snapshot must not wait for it
            _log_trouble("settings of recorded traffic cannot be followed; those in force stay", error)
        else:
            log.info("settings were changed", extra={"settings": sorted(told)})
        if not had_store:
            self._keep_traffic()

    def _follow(self) -> None:
        while not self.stopping.wait(self.settings.gateway.poll_seconds):
            self.follow_once()

    def _carry_events(self) -> None:
        while not self.stopping.is_set():
            try:
                self.events.carry(self.core.take_events(EVENTS_IN_A_BATCH, 0.5))
            except Exception:
                log.exception("events were not carried")
        while batch := self.core.take_events(EVENTS_IN_A_BATCH, 0):
            self.events.carry(batch)


class CountsCarrier:
    """
    Brings what the gateway counts to the control plane: each batch again and again until it took it, and it takes each once.

    What is counted meanwhile waits in the gateway, put together by hour or minute.

    Args:
        take: Takes what was counted since the last call: a JSON array.

        client: Speaks to the control plane.

        path: Where it goes.

        seconds: How often.
    """

    def __init__(self, take: Callable[[], str], client: httpx.Client, path: str, seconds: float) -> None:
        self.take = take
        self.client = client
        self.path = path
        self.seconds = seconds
        self.waiting: deque[dict[str, Any]] = deque()
        self._carrying = threading.Lock()

    def run(self, stopping: threading.Event) -> None:
        """Carry until told to stop."""
        while not stopping.wait(self.seconds):
            try:
                self.carry()
            except Exception:
                log.exception("counts were not carried", extra={"path": self.path})

    def carry(self) -> None:
        """Send what waits, then what was counted since. Failure is logged, never raised. Who stops a gateway may call it beside `run`."""
        with self._carrying:
            if self._send():
                counted = json.loads(self.take())
                for at in range(0, len(counted), METRICS_IN_A_BATCH):
                    self.waiting.append({"batch_id": uuid.uuid4().hex, "metrics": counted[at : at + METRICS_IN_A_BATCH]})
                self._send()

    def _send(self) -> bool:
        """Send what waits; false if some of it waits on."""
        while self.waiting:
            try:
                response = self.client.post(self.path, json=self.waiting[0])
                if response.status_code in NEVER_TAKEN:
                    log.error("the control plane will not take these counts", extra={"path": self.path, "status": response.status_code})
                else:
                    response.raise_for_status()
            except httpx.HTTPError as error:
                _log_trouble("counts wait for the control plane", error)
                return False
            self.waiting.popleft()
        return True


class EventCarrier:
    """
    Writes events to the JSON-lines file and brings them to the control plane, again and again until it took them.

    Args:
        settings: Where the file is and when it is turned over.

        client: Speaks to the control plane.
    """

    def __init__(self, settings: Settings, client: httpx.Client) -> None:
        self.client = client
        self.waiting: deque[dict[str, Any]] = deque()
        self.dropped = 0
        self.file = _EventFile(settings.events_file, settings.events)

    def carry(self, events: list[str]) -> None:
        """Write events down, then send them and those that wait. Failure is logged, never raised."""
        for event in events:
            self.file.write(event)
            self.waiting.append(json.loads(event))
        while len(self.waiting) > EVENTS_WAITING:
            self.waiting.popleft()
            self.dropped += 1
        while self.waiting:
            batch = [self.waiting[i] for i in range(min(EVENTS_IN_A_BATCH, len(self.waiting)))]
            try:
                response = self.client.post("/events", json={"events": batch})
                if response.status_code in NEVER_TAKEN:
                    log.error("the control plane will not take these events", extra={"events": len(batch), "status": response.status_code})
                    self.dropped += len(batch)
                else:
                    response.raise_for_status()
            except httpx.HTTPError as error:
                _log_trouble("events wait for the control plane", error)
                return
            for _ in batch:
                self.waiting.popleft()

    def close(self) -> None:
        """Close the file; writing another event opens it again."""
        self.file.close()


class _EventFile(logging.handlers.RotatingFileHandler):
    """The standard library's rotating file, for lines that are no log records."""

    def __init__(self, path: Path, settings: EventSettings) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            super().__init__(path, maxBytes=settings.rotate_bytes, backupCount=settings.keep_files, encoding="utf-8")
        except OSError as error:
            raise StorageError(f"the events file {path} cannot be written: {error.strerror}; name another as events.file") from error

    def write(self, line: str) -> None:
        self.emit(logging.makeLogRecord({"msg": line}))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the name is the library's
        log.error("an event was not written to the file; the control plane gets it all the same", exc_info=True)


def _traffic_keeper(core: _native.Gateway, settings: Settings, gateway_id: str) -> TrafficKeeper:
    """Open the store that the settings name."""
    # Arrow takes memory that a gateway without a store does not need.
    from hauberk.traffic.keeper import TrafficKeeper  # noqa: PLC0415
    from hauberk.traffic.store import TrafficStore  # noqa: PLC0415

    traffic = settings.traffic
    store = TrafficStore(
        settings.traffic_store,
        writer=gateway_id,
        segment_bytes=traffic.segment_bytes,
        flush_seconds=traffic.flush_seconds,
        keep_days=traffic.keep_days,
        max_bytes=traffic.max_bytes,
    )
    return TrafficKeeper(core, store, settings.state_dir)


def _persistent_id(path: Path) -> str:
    """Give this gateway the same id after a restart, so that the control plane knows it again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() and (known := path.read_text("ascii").strip()):
            return known[:64]
        made = uuid.uuid4().hex
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(made + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"the file {path} cannot be used: {error}") from error
    return made


_last_trouble: dict[str, str] = {}


def _log_trouble(what: str, error: Exception) -> None:
    """Log a recurring trouble when it is new, not at every poll."""
    reason = str(error) or type(error).__name__
    if _last_trouble.get(what) != reason:
        _last_trouble[what] = reason
        log.warning(what, extra={"reason": reason})
