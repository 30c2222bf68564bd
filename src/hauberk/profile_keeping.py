"""
Keeps what is known of each saved operation's requests: one profile for an operation and day, to which every recorded row is added once.

An hour of the store is *settled* when all that belongs to it has been written. Its rows are added to the profiles of their day, and in the
same transaction the hour is noted, so a control plane that dies counts none twice and none not at all. The hours that are not settled,
hardly more than the present one, are read anew each time and added to what is learned from, not to what is kept.

Rows that come to an hour later (an import, a gateway that was cut off) cannot be told from those that were there, so that day is read
again as a whole. So are all days of a host when its operations change: a new one may be what another's requests really are.
"""

from __future__ import annotations

import hashlib
import json
import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Protocol
from urllib.parse import unquote

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.orm import Session

from hauberk.background import leased
from hauberk.candidate import without_port
from hauberk.operation import OperationKey
from hauberk.storage.database import Database
from hauberk.storage.learning_runs import learning_of, new_learning
from hauberk.storage.learning_tables import LearnedHour, LearnedPart, LearningRun, OperationProfile
from hauberk.storage.models import Operation
from hauberk.traffic.hours import HOUR, RecordedHour
from hauberk.traffic.segments import OTHER_HOSTS, host_folder
from hauberk.traffic.store import SETTLED_AFTER

log = logging.getLogger(__name__)

Blobs = dict[str, list[bytes]]
"""Profiles by operation id; together they are what is known."""


class Learner(Protocol):
    """Takes requests in and knows what they show of each operation."""

    def feed(self, lines: bytes, /) -> int:
        """Take in transactions as JSON lines; returns how many of them were learned from."""

    def operations(self) -> list[tuple[str, str, str]]:
        """List the operations that had a request."""

    def profile(self, method: str, host: str, endpoint: str, /) -> str:
        """Give what is known of an operation as JSON."""

    def dump(self, method: str, host: str, endpoint: str, /) -> bytes:
        """Give it in the form that can be kept and merged."""

    def load(self, blob: bytes, /) -> None:
        """Merge what was kept."""


class Hours(Protocol):
    """The traffic store, hour by hour."""

    def hours(self, since: datetime, until: datetime) -> list[RecordedHour]:
        """List what was recorded in a time."""

    def rows(self, hour: RecordedHour) -> int:
        """Count an hour's rows."""

    def lines(self, *hours: RecordedHour) -> Iterator[bytes]:
        """Give the successful rows of hours."""


Engine = Callable[[Sequence[OperationKey]], Learner]
"""Makes a learner for these operations."""


@dataclass(frozen=True)
class Taught:
    """An operation that is learned."""

    operation_id: str
    key: OperationKey
    since: datetime | None
    """What came before this hour does not count: the owner wants it forgotten."""


class ProfileKeeper:
    """
    Brings the profiles of a zone up to date with the traffic store.

    Args:
        database: Where profiles are kept.

        zone_id: The zone.

        owner: Who has the zone's lease; without it nothing is kept.

        hours: The traffic store.

        engine: Makes what takes requests in.

        rules: What else decides how rows are read, e.g. session identifiers; profiles that were made by others are made anew.

        tell: Called with the number of rows read so far, now and then.
    """

    def __init__(
        self, database: Database, zone_id: str, owner: str, hours: Hours, engine: Engine, rules: Any, tell: Callable[[int], None]
    ) -> None:
        self.database = database
        self.zone_id = zone_id
        self.owner = owner
        self.hours = hours
        self.engine = engine
        self.rules = rules
        self.tell = tell
        self.rows_read = 0
        self._keys: dict[str, OperationKey] = {}

    def read(self, operations: Sequence[Taught], since: datetime, until: datetime) -> Blobs:
        """
        Add what has settled since the last time to the profiles.

        Args:
            operations: The zone's.

            since: What is older is forgotten.

            until: Now.

        Returns:
            What the hours show that are not settled, and so not in the profiles that are kept.

        Raises:
            StorageError: If the store or the database cannot be used; what was done until then is kept.

            LeaseLost: If another control plane has the lease by now.
        """
        self._keys = {one.operation_id: one.key for one in operations}
        parts: dict[str, list[RecordedHour]] = defaultdict(list)
        for hour in self.hours.hours(since, until):
            parts[hour.part].append(hour)
        of_host: dict[str, list[Taught]] = defaultdict(list)
        for one in operations:
            of_host[one.key.host].append(one)
        routed = {part: [one for host, some in of_host.items() if may_be_in(part, host) for one in some] for part in parts}
        parts = {part: hours for part, hours in parts.items() if routed[part]}
        self._begin(operations, {part: routed[part] for part in parts}, since)
        fresh: Blobs = defaultdict(list)
        for part, hours in parts.items():
            settled = [hour for hour in hours if hour.hour + HOUR + SETTLED_AFTER <= until]
            for _, of_day in groupby(settled, key=lambda hour: hour.day):
                self._keep_day(routed[part], list(of_day))
            for operation_id, blobs in self._learned_from(routed[part], [hour for hour in hours if hour not in settled]).items():
                fresh[operation_id] += blobs
        return fresh

    def _begin(self, operations: Sequence[Taught], routed: Mapping[str, Sequence[Taught]], since: datetime) -> None:
        """Forget what is too old, and the parts that have to be read anew."""
        digests = {part: self._digest(taught) for part, taught in routed.items()}
        with leased(self.database, LearningRun, self.zone_id, self.owner) as session:
            session.execute(delete(LearnedHour).where(LearnedHour.zone_id == self.zone_id, LearnedHour.hour < since))
            ids = select(Operation.operation_id).where(Operation.zone_id == self.zone_id)
            day = int(since.timestamp()) // 86400
            session.execute(delete(OperationProfile).where(OperationProfile.operation_id.in_(ids), OperationProfile.day < day))
            # One that was deleted and saved again has lost its profiles.
            known = learning_of(session, [one.operation_id for one in operations])
            new = {one.operation_id for one in operations} - set(known)
            session.add_all(new_learning(operation_id) for operation_id in sorted(new))
            for part, taught in routed.items():
                row = session.get(LearnedPart, (self.zone_id, part))
                digest = digests[part]
                if row is not None and row.digest == digest and not any(one.operation_id in new for one in taught):
                    continue
                if row is None:
                    session.add(LearnedPart(zone_id=self.zone_id, part=part, digest=digest))
                else:
                    row.digest = digest
                session.execute(delete(LearnedHour).where(LearnedHour.zone_id == self.zone_id, LearnedHour.part == part))
                session.execute(delete(OperationProfile).where(OperationProfile.operation_id.in_(ids), OperationProfile.part == part))

    def _keep_day(self, operations: Sequence[Taught], hours: Sequence[RecordedHour]) -> None:
        """Add the settled hours of one day and part that are not in its profiles yet."""
        part, day = hours[0].part, hours[0].day
        with self.database.read() as session:
            known = {row.hour: row for row in session.scalars(self._noted(part))}
        changed = [hour for hour in hours if hour.hour not in known or known[hour.hour].digest != hour.digest]
        if not changed:
            return
        counts = {hour.hour: self.hours.rows(hour) for hour in changed}
        again = any(hour.hour in known and counts[hour.hour] > known[hour.hour].rows for hour in changed)
        # Where there are as many as before segments were merged, where there are fewer the oldest were deleted: what they taught stays.
        new = list(hours) if again else [hour for hour in changed if hour.hour not in known]
        counts |= {hour.hour: self.hours.rows(hour) for hour in new if hour.hour not in counts}
        before = {} if again else self._kept(part, day)
        try:
            profiles = self._added(before, self._learned_from(operations, new))
        except ValueError:  # a kept one is damaged, or of a version that nobody can read any more
            log.warning("a profile cannot be read, so its day is read again", extra={"zone_id": self.zone_id, "part": part, "day": day})
            again, new, before = True, list(hours), {}
            counts |= {hour.hour: self.hours.rows(hour) for hour in new if hour.hour not in counts}
            profiles = self._added(before, self._learned_from(operations, new))
        made = [
            {"operation_id": one, "part": part, "day": day, "profile": profile, "digest": hashlib.sha256(profile).hexdigest()}
            for one, profile in profiles.items()
        ]
        with leased(self.database, LearningRun, self.zone_id, self.owner) as session:
            if again:
                session.execute(delete(OperationProfile).where(*self._of_day(part, day)))
            self._keep(session, self._of_day(part, day), before, made)
            noted = {row.hour: row for row in session.scalars(self._noted(part))}
            for hour in {hour.hour: hour for hour in [*changed, *new]}.values():
                row = noted.get(hour.hour)
                if row is None:
                    row = LearnedHour(zone_id=self.zone_id, part=part, hour=hour.hour)
                    session.add(row)
                row.digest, row.rows = hour.digest, counts[hour.hour]

    def _keep(
        self, session: Session, of_day: tuple[Any, ...], before: Mapping[str, OperationProfile], made: Sequence[dict[str, Any]]
    ) -> None:
        """
        Put profiles of a day in the place of those they were made from.

        Where an owner has had that forgotten meanwhile, or has deleted the operation, what was made is out of date as well.
        """
        there = dict(session.execute(select(OperationProfile.operation_id, OperationProfile.digest).where(*of_day)).all())
        saved = set(session.scalars(select(Operation.operation_id).where(Operation.zone_id == self.zone_id)))
        was = {one: row.digest for one, row in before.items()}
        current = [row for row in made if row["operation_id"] in saved and there.get(row["operation_id"]) == was.get(row["operation_id"])]
        if changed := [row for row in current if row["operation_id"] in there]:
            session.execute(update(OperationProfile), changed)
        if new := [row for row in current if row["operation_id"] not in there]:
            session.execute(insert(OperationProfile), new)

    def _noted(self, part: str) -> Select[LearnedHour]:
        return select(LearnedHour).where(LearnedHour.zone_id == self.zone_id, LearnedHour.part == part)

    def _learned_from(self, operations: Sequence[Taught], hours: Sequence[RecordedHour]) -> Blobs:
        """Read hours, in as many pieces as owners have asked to forget what came before one of them."""
        starts = sorted({one.since for one in operations if one.since is not None})
        ids = {one.key: one for one in operations}
        found: Blobs = defaultdict(list)
        for _, piece in groupby(hours, key=lambda hour: bisect_right(starts, hour.hour)):
            learner = self.engine([one.key for one in operations])
            of_piece = list(piece)
            for lines in self.hours.lines(*of_piece):
                learner.feed(lines)
                self.rows_read += lines.count(b"\n")
                self.tell(self.rows_read)
            for method, host, endpoint in learner.operations():
                one = ids[OperationKey(method, host, endpoint)]
                if one.since is None or one.since <= of_piece[0].hour:
                    found[one.operation_id].append(learner.dump(method, host, endpoint))
        return found

    def _added(self, before: Mapping[str, OperationProfile], found: Blobs) -> dict[str, bytes]:
        """Add what was found to what is kept."""
        kept = {operation_id: [before[operation_id].profile] if operation_id in before else [] for operation_id in found}
        return {operation_id: self._merged(operation_id, [*pieces, *kept[operation_id]]) for operation_id, pieces in found.items()}

    def _merged(self, operation_id: str, blobs: Sequence[bytes]) -> bytes:
        if len(blobs) == 1:
            return blobs[0]
        key = self._keys[operation_id]
        learner = self.engine([key])
        for blob in blobs:
            learner.load(blob)
        return learner.dump(*key)

    def _kept(self, part: str, day: int) -> dict[str, OperationProfile]:
        with self.database.read() as session:
            rows = session.scalars(select(OperationProfile).where(*self._of_day(part, day)))
            return {row.operation_id: row for row in rows}

    def _of_day(self, part: str, day: int) -> tuple[Any, ...]:
        # Other zones have profiles of the same folder if they share it.
        zone = select(Operation.operation_id).where(Operation.zone_id == self.zone_id)
        return OperationProfile.operation_id.in_(zone), OperationProfile.part == part, OperationProfile.day == day

    def _digest(self, operations: Iterable[Taught]) -> str:
        text = json.dumps([sorted(one.key for one in operations), self.rules], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def forget_days(session: Session, zone_id: str, days: Iterable[tuple[str, int]]) -> None:
    """Forget the profiles of these parts and days, so that they are read anew."""
    ids = select(Operation.operation_id).where(Operation.zone_id == zone_id)
    for part, day in days:
        session.execute(
            delete(OperationProfile).where(
                OperationProfile.operation_id.in_(ids), OperationProfile.part == part, OperationProfile.day == day
            )
        )
        midnight = datetime.fromtimestamp(day * 86400, UTC)
        of_day = LearnedHour.hour >= midnight, LearnedHour.hour < midnight + timedelta(days=1)
        session.execute(delete(LearnedHour).where(LearnedHour.zone_id == zone_id, LearnedHour.part == part, *of_day))


def may_be_in(part: str, host: str) -> bool:
    """Tell whether a folder of the store may have rows of an operation's host, which may have variables."""
    if part == host_folder(OTHER_HOSTS):
        return True
    wanted, labels = host.split("."), without_port(unquote(part)).lower().split(".")
    pairs = zip(wanted, labels, strict=False)
    return len(wanted) == len(labels) and all(label.startswith("{") or label == found for label, found in pairs)
