"""
Keeps the inventory of candidates current: a thread of the control plane that looks at each zone's traffic time and again.

It joins the traffic store, the grouping of paths (`hauberk._native`) and the database, and knows them by what they can do alone. Of several
control planes on one database one does the work (`storage/discovery_runs.py`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.background import LeaseLost, ZoneWork
from hauberk.candidate import Candidate, without_port
from hauberk.config import DiscoverySettings
from hauberk.discovery.carriers import Carrier
from hauberk.discovery.ports import PathDiscovery, TrafficSource
from hauberk.discovery.proposal import Proposal, propose
from hauberk.discovery.series import Templates, spread
from hauberk.discovery.session_preview import Preview, preview
from hauberk.discovery.thresholds import Thresholds, below, candidates, found_operations
from hauberk.errors import Conflict, HauberkError, StorageError
from hauberk.session_identifier import SessionIdentifier
from hauberk.storage.candidates import Recorded, Window, record_candidates
from hauberk.storage.database import Database
from hauberk.storage.discovery_runs import cancel_run, due, end_lease, renew_lease, request_run, status_json, take_lease
from hauberk.storage.discovery_tables import DiscoveryRun
from hauberk.storage.models import Zone, now
from hauberk.storage.review import record_series, series_due
from hauberk.storage.session_identifiers import session_identifiers, set_session_identifiers
from hauberk.storage.template_rules import template_rules
from hauberk.template_rule import TemplateRule, owner_rules
from hauberk.zone_traffic import ZoneTraffic

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 2.0
# Enough to tell one request in a hundred, little enough to read at every look while a zone has no identifier.
SAMPLE = 20_000

# Of the traffic over time, for sparklines. Of a million paths those that are asked for least do not show in one.
SERIES_STEPS = 40
SERIES_PATHS = 200_000
SERIES_EVERY = timedelta(minutes=15)

TRIES = 5
RETRY_SECONDS = 1.0

AUTHORIZATION = SessionIdentifier("header", "authorization")


class Inventory(ZoneWork):
    """
    Discovery of all zones.

    Args:
        database: Where candidates go.

        settings: What it takes to be one.

        engine: Makes a grouping of paths that tells at most so many apart; `None` where this build has none.

        model_threshold: From which likelihood on the classifier calls a request an API call.

        mask_path: Takes values out of a path that is kept as an example; without it none is kept.
    """

    runs = DiscoveryRun

    def __init__(
        self,
        database: Database,
        settings: DiscoverySettings,
        engine: Callable[[int], PathDiscovery] | None,
        model_threshold: float,
        mask_path: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(database, "discovery", settings.refresh_seconds)
        self.settings = settings
        self.engine = engine
        self.mask_path = mask_path
        self.source: TrafficSource | None = None
        """The traffic store; without one nothing is looked at."""
        self._model_threshold = model_threshold

    @property
    def thresholds(self) -> Thresholds:
        """What it takes to be a candidate."""
        score = self.settings.min_score
        return Thresholds(self.settings.min_requests, self._model_threshold if score is None else score)

    def is_ready(self) -> bool:
        """Tell whether there is traffic to look at."""
        return self.source is not None and self.engine is not None

    def is_due(self, session: Session, zone_id: str) -> bool:
        """Tell whether a zone's traffic should be looked at."""
        return due(session, zone_id, timedelta(seconds=self.settings.refresh_seconds))

    def work_on(self, zone_id: str) -> None:
        """Look at a zone's traffic."""
        self.refresh(zone_id)

    def request(self, zone_id: str) -> dict[str, Any]:
        """
        Ask for a look at a zone's traffic as soon as possible, and tell the state.

        Raises:
            Conflict: If there is no traffic to look at.
        """
        self._reader()
        with self.database.write() as session:
            status = status_json(request_run(session, zone_id))
        self.wake()
        return status

    def cancel(self, zone_id: str) -> dict[str, Any]:
        """
        Cancel a look that is under way or asked for, and tell the state. What was found before stays.

        Raises:
            Conflict: If there is none.
        """
        with self.database.write() as session:
            if not cancel_run(session, zone_id):
                raise Conflict("no look at the traffic is under way, and none was asked for")
            session.expire_all()
            return status_json(session.get(DiscoveryRun, zone_id))

    def status(self, zone_id: str) -> dict[str, Any]:
        """Tell how a zone's discovery stands."""
        with self.database.read() as session:
            return status_json(session.get(DiscoveryRun, zone_id))

    def refresh(self, zone_id: str) -> Recorded | None:
        """
        Look at a zone's traffic now, and bring its candidates up to date.

        Returns:
            What became of them; `None` if another control plane is at it.

        Raises:
            Conflict: If there is no traffic to look at.
        """
        _, engine = self._reader()
        if not self._begin(zone_id):
            return None
        try:
            recorded = self._look(self.traffic(zone_id), engine)
        except LeaseLost:
            return None
        except Exception as error:
            # A zone, a database or a store may be gone meanwhile: whoever asks for the status should be told.
            with self.database.write() as session:
                end_lease(session, zone_id, self.name, error=error.message if isinstance(error, HauberkError) else type(error).__name__)
            raise
        level = logging.INFO if recorded.new or recorded.vanished else logging.DEBUG
        log.log(level, "candidates brought up to date", extra={"zone_id": zone_id, **recorded.__dict__})
        return recorded

    def observed(self, zone_id: str, host: str) -> PathDiscovery:
        """
        Take in the paths that matter to those of one host.

        Raises:
            Conflict: If there is no traffic to look at.
        """
        _, engine = self._reader()
        traffic = self.traffic(zone_id)
        discovery = engine(self.settings.max_paths)
        # Hosts are grouped label by label, so those with another number of labels do not matter.
        for batch in traffic.paths([name for name in traffic.hosts if without_port(name).count(".") == host.count(".")]):
            discovery.observe(batch)
        return discovery

    def traffic(self, zone_id: str) -> ZoneTraffic:
        """
        Give what a look at a zone would read.

        Raises:
            Conflict: If there is no traffic to look at.
        """
        source, _ = self._reader()
        until = now()
        with self.database.read() as session:
            return ZoneTraffic(
                source,
                zone_id,
                session.get_one(Zone, zone_id).name,
                tuple(session.scalars(select(Zone.name))),
                Window(until - timedelta(days=self.settings.window_days), until),
            )

    def proposal(self, zone_id: str, limit: int = SAMPLE) -> Proposal:
        """
        Look at what a zone's requests carry, and propose what should identify sessions.

        Raises:
            Conflict: If there is no traffic to look at.
        """
        return propose(self.traffic(zone_id).sample(limit))

    def preview(self, zone_id: str, carriers: Sequence[Carrier], limit: int = SAMPLE) -> Preview:
        """
        Look what session identifiers would tell of a zone's requests, if they were set.

        Raises:
            Conflict: If there is no traffic to look at.
        """
        return preview(self.traffic(zone_id).sample(limit), carriers)

    def _look(self, traffic: ZoneTraffic, engine: Callable[[int], PathDiscovery]) -> Recorded:
        zone_id = traffic.zone_id
        with self.database.read() as session:
            rules = template_rules(session, zone_id)
            automatic = self._may_choose(session, zone_id)
        if automatic:
            self._choose(traffic)
        discovery = engine(self.settings.max_paths)
        read, told = 0, time.monotonic()
        earliest: list[int] = []
        for batch in traffic.paths():
            discovery.observe(batch)
            read += len(batch)
            times = [*earliest, *(row[6] for row in batch if row[6] is not None)]
            earliest = [min(times)] if times else []
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                self._progress(zone_id, phase="reading", paths_read=read)
        self._progress(zone_id, phase="grouping", paths_read=read)
        found = found_operations(discovery.operations(owner_rules(rules)))
        kept = [self._masked(candidate) for candidate in candidates(found, self.thresholds)]
        seen = traffic.window.from_first(*earliest)
        spreads = self._spread(traffic, seen, kept)
        left = {"operations_found": len(found), "below": below(found, self.thresholds).as_json()}
        self._progress(zone_id, phase="recording", **left)
        for attempt in range(TRIES):
            try:
                return self._record(zone_id, kept, seen, rules, spreads)
            except StorageError:
                # On PostgreSQL an owner who saves or ignores one of them in the same moment has precedence.
                if attempt == TRIES - 1 or self._stopping.wait(RETRY_SECONDS):
                    raise
        raise AssertionError("the last try returns or raises")

    def _spread(self, traffic: ZoneTraffic, seen: Window, kept: Sequence[Candidate]) -> dict[str, list[int]] | None:
        """Count how the requests of candidates are spread over the window, if it is time to: that costs as much as the look itself."""
        templates = [(candidate.host, candidate.method, candidate.endpoint, id_) for id_, candidate in _by_id(traffic.zone_id, kept)]
        with self.database.read() as session:
            if not series_due(session, traffic.zone_id, {id_ for *_, id_ in templates}, SERIES_EVERY):
                return None
        counted = traffic.source.series(traffic.hosts, seen.since, seen.until, SERIES_STEPS, SERIES_PATHS)
        paths = ((without_port(host).lower().removesuffix("."), method, path, counts) for host, method, path, counts in counted)
        return spread(Templates(templates), paths, SERIES_STEPS)

    def _record(
        self,
        zone_id: str,
        kept: Sequence[Candidate],
        seen: Window,
        rules: Sequence[TemplateRule],
        spreads: Mapping[str, Sequence[int]] | None,
    ) -> Recorded:
        with self.database.write() as session:
            # In the same transaction, so that a control plane that was overtaken records nothing.
            if not renew_lease(session, zone_id, self.name):
                raise LeaseLost
            recorded = record_candidates(session, session.get_one(Zone, zone_id), kept, seen, rules)
            outcome: dict[str, Any] = {"candidates": recorded.stored, "refused": recorded.refused}
            if spreads is not None:
                record_series(session, zone_id, seen.since, (seen.until - seen.since).total_seconds() / SERIES_STEPS, spreads)
                outcome["series_at"] = now()
            end_lease(session, zone_id, self.name, **outcome)
        return recorded

    def _masked(self, candidate: Candidate) -> Candidate:
        mask = self.mask_path
        return replace(candidate, examples=tuple(dict.fromkeys(mask(path) for path in candidate.examples)) if mask is not None else ())

    def _begin(self, zone_id: str) -> bool:
        try:
            with self.database.write() as session:
                return take_lease(session, zone_id, self.name)
        except (Conflict, StorageError) as error:  # another control plane took it in the same moment, or the disk is full
            log.warning("a zone's traffic is not looked at", extra={"zone_id": zone_id, "reason": error.message})
            return False

    def _progress(self, zone_id: str, **progress: Any) -> None:
        if self._stopping.is_set():
            with self.database.write() as session:
                end_lease(session, zone_id, self.name, error="the control plane was stopped")
            raise LeaseLost
        with self.database.write() as session:
            if not renew_lease(session, zone_id, self.name, **progress):
                raise LeaseLost

    def _may_choose(self, session: Session, zone_id: str) -> bool:
        if not self.settings.automatic_session_identifier:
            return False
        run = session.get(DiscoveryRun, zone_id)
        return not (run is not None and run.identifiers_chosen) and not session_identifiers(session, zone_id)

    def _choose(self, traffic: ZoneTraffic) -> None:
        """Take `Authorization` for the session identifier, if enough requests carry it and the owner has not chosen meanwhile."""
        if not propose(traffic.sample(SAMPLE)).takes_authorization:
            return
        try:
            with self.database.write() as session:
                if not self._may_choose(session, traffic.zone_id):
                    return
                set_session_identifiers(session, traffic.zone_id, [AUTHORIZATION])
        except HauberkError as error:
            log.warning(
                "Authorization was not taken for the session identifier", extra={"zone_id": traffic.zone_id, "reason": error.message}
            )
            return
        log.info("Authorization was taken for the session identifier", extra={"zone_id": traffic.zone_id})

    def _reader(self) -> tuple[TrafficSource, Callable[[int], PathDiscovery]]:
        if self.source is None or self.engine is None:
            raise Conflict("there is no traffic to look at: this control plane has no traffic store")
        return self.source, self.engine


def _by_id(zone_id: str, found: Iterable[Candidate]) -> Iterator[tuple[str, Candidate]]:
    for candidate in found:
        try:
            yield candidate.normalised().key.operation_id(zone_id), candidate
        except ValueError:  # recording counts it
            continue
