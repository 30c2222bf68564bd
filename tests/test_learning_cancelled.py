"""A run of learning that is cancelled: it ends, keeps whole steps, and the next one comes to what an uncancelled one comes to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from databases import new_database_url
from hauberk.config import LearningSettings
from hauberk.errors import Conflict
from hauberk.operation import OperationKey
from hauberk.pipeline import _learning_parts
from hauberk.schema_learning import SchemaLearning
from hauberk.storage.database import Database
from hauberk.storage.learned_versions import content_of, find_version
from hauberk.storage.learning_tables import LearnedHour, OperationLearning, OperationProfile
from hauberk.storage.models import Zone
from hauberk.storage.operations import save_operations
from learning_fakes import HOST, ZONE, Recorder, WatchedHours

KEYS = [OperationKey("GET", HOST, "/users/{var1}"), OperationKey("GET", HOST, "/temps"), OperationKey("GET", "www.example.com", "/")]
SETTINGS = LearningSettings(min_requests=5, held_back=False)
HEADS: dict[str, Any] = {"request_headers": [["Accept", "application/json"]]}


class Learning:
    """Learning with the real core and statistics, over a store that lets a test step in."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self.database = database
        with self.database.write() as session:
            session.add(Zone(id=ZONE, name="example.com"))
            session.flush()
            save_operations(session, ZONE, KEYS)
        self.hours = WatchedHours(recorder.store.folder)
        self.learning = SchemaLearning(self.database, SETTINGS, _learning_parts(SETTINGS))
        self.learning.hours = self.hours

    def run(self) -> int | None:
        self.learning.request(ZONE)
        return self.learning.run(ZONE)

    def cancel_at(self, reading: int) -> None:
        """Cancel when so many hours were begun to be read."""
        self.hours.read.clear()

        def step_in() -> None:
            if len(self.hours.read) == reading:
                self.learning.cancel(ZONE)

        self.hours.meanwhile = step_in

    def known(self) -> tuple[Any, ...]:
        """All that is kept of requests, and what was learned."""
        with self.database.read() as session:
            profiles = {(row.operation_id, row.part, row.day): row.profile for row in session.scalars(select(OperationProfile))}
            hours = {(row.part, row.hour): (row.digest, row.rows) for row in session.scalars(select(LearnedHour))}
            standing = {row.operation_id: (row.outcome, row.requests, row.samples) for row in session.scalars(select(OperationLearning))}
            documents = {
                id_: content_of(find_version(session, id_)).document
                for id_, (outcome, *_) in standing.items()
                if outcome == "schema_learned"
            }
        return profiles, hours, standing, documents


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    recorder = Recorder(tmp_path_factory.mktemp("traffic"))
    for hours_ago in (75, 51, 50, 27, 26, 5, 4, 0):
        recorder.record(6, hours_ago, client="192.0.2.1", **HEADS)
        recorder.record(4, hours_ago, url="/temps?page=2", client="192.0.2.2", **HEADS)
    recorder.record(10, 3, url="/", host="www.example.com", client="192.0.2.3", **HEADS)
    return recorder


@pytest.fixture
def learning(open_database: Callable[[], Database], recorder: Recorder) -> Learning:
    return Learning(open_database(), recorder)


@pytest.fixture(scope="module")
def uncancelled(tmp_path_factory: pytest.TempPathFactory, recorder: Recorder) -> tuple[Any, ...]:
    with closing(Database(new_database_url("sqlite", tmp_path_factory.mktemp("whole")))) as database:
        learning = Learning(database, recorder)
        assert learning.run() == len(KEYS)
        return learning.known()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(cancelled_at=st.lists(st.integers(1, 9), max_size=4))
def test_however_often_it_is_cancelled_each_row_counts_once(
    cancelled_at: list[int], recorder: Recorder, uncancelled: tuple[Any, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    learning = Learning(Database(new_database_url("sqlite", tmp_path_factory.mktemp("cancelled"))), recorder)
    for reading in cancelled_at:
        learning.cancel_at(reading)
        result = learning.run()
        status = learning.learning.status(ZONE)
        assert status["state"] == "idle"
        assert (result is None) == (status["cancelled_at"] is not None)
    learning.hours.meanwhile = lambda: None
    assert learning.run() is not None
    assert learning.known() == uncancelled
    learning.database.close()


def test_whole_steps_stay(learning: Learning) -> None:
    learning.cancel_at(2)
    assert learning.run() is None
    _, hours, standing, _ = learning.known()
    assert len(hours) == 1  # the first day is in the profiles, the second was given up
    assert {outcome for outcome, *_ in standing.values()} == {None}
    learning.hours.meanwhile, before = (lambda: None), list(learning.hours.read)
    learning.hours.read.clear()
    assert learning.run() == len(KEYS)
    assert before[0] not in learning.hours.read


def test_what_is_not_running_cannot_be_cancelled_and_what_was_asked_for_is_taken_back(learning: Learning) -> None:
    with pytest.raises(Conflict, match="nothing to cancel"):
        learning.learning.cancel(ZONE)
    assert learning.learning.request(ZONE)["state"] == "requested"
    told = learning.learning.cancel(ZONE)
    assert (told["state"], told["requested_at"], told["cancelled_at"]) == ("idle", None, None)


def test_another_control_plane_can_cancel_it(learning: Learning, open_database: Callable[[], Database]) -> None:
    other = SchemaLearning(open_database(), SETTINGS, None)
    states: list[str] = []

    def step_in() -> None:
        if not states:
            states.append(other.cancel(ZONE)["state"])
        learning.learning._told = 0.0  # the two seconds have passed

    learning.hours.meanwhile = step_in
    assert learning.run() is None
    assert states == ["running"]
    assert learning.learning.status(ZONE)["cancelled_at"] is not None
