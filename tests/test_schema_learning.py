"""The background work that learns: what it reads and how often, what it stores, who does it, and what it does when something is wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from conftest import eventually
from hauberk.config import LearningSettings
from hauberk.errors import Conflict, InvalidRequest, StorageError
from hauberk.learning_state import LearningState
from hauberk.operation import OperationKey
from hauberk.schema_learning import SchemaLearning
from hauberk.session_identifier import SessionIdentifier
from hauberk.storage.applied_schemas import apply_newest, roll_back, set_auto_apply
from hauberk.storage.database import Database
from hauberk.storage.learned_versions import content_of, find_version, learned_operation, versions_of
from hauberk.storage.learning_runs import COUNTS, learning_of, relearn
from hauberk.storage.learning_tables import AppliedSchema, LearnedHour, LearnedVersion, LearningRun, OperationLearning, OperationProfile
from hauberk.storage.models import Operation, Zone, now
from hauberk.storage.operations import delete_operations, find_operation, operations_of, save_operations
from hauberk.storage.session_identifiers import set_session_identifiers
from learning_fakes import HOST, ZONE, FakeLearner, FakeStatistics, Recorder, WatchedHours

pytestmark = pytest.mark.both_databases

USERS = OperationKey("GET", HOST, "/users/{var1}")
ME = OperationKey("GET", HOST, "/users/me")


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    database = open_database()
    with database.write() as session:
        session.add(Zone(id=ZONE, name="example.com"))
        session.flush()
        save_operations(session, ZONE, [USERS])
    return database


class Setting:
    """Learning over a real store and database, with a core and statistics that tell what they were given."""

    def __init__(self, database: Database, folder: Path, **settings: Any) -> None:
        self.database = database
        self.recorder = Recorder(folder)
        self.hours = WatchedHours(self.recorder.store.folder)
        self.statistics = FakeStatistics()
        self.learning = SchemaLearning(database, LearningSettings(**({"min_requests": 10} | settings)), self.statistics.parts())
        self.learning.hours = self.hours

    def record(self, *arguments: Any, **members: Any) -> list[int]:
        return self.recorder.record(*arguments, **members)

    def run(self) -> int | None:
        self.hours.read.clear()
        return self.learning.run(ZONE)

    def counted(self, endpoint: str = USERS.endpoint) -> dict[int, int]:
        """How often each request has counted in what was learned last."""
        return {int(number): count for number, count in self.statistics.profiles[endpoint]["ids"].items()}

    def versions(self, key: OperationKey = USERS) -> list[int]:
        with self.database.read() as session:
            return [row.version for row in session.scalars(versions_of(key.operation_id(ZONE)))]

    def state(self, key: OperationKey = USERS) -> OperationLearning:
        with self.database.read() as session:
            return learning_of(session, [key.operation_id(ZONE)])[key.operation_id(ZONE)]

    def ask(self) -> None:
        self.learning.request(ZONE)


@pytest.fixture
def setting(database: Database, tmp_path: Path) -> Iterator[Setting]:
    made = Setting(database, tmp_path / "traffic")
    yield made
    made.learning.stop()


def once(numbers: list[int]) -> dict[int, int]:
    return dict.fromkeys(numbers, 1)


def test_rows_become_a_version(setting: Setting, database: Database) -> None:
    numbers = setting.record(30) + setting.record(5, hours_ago=0, url="/users/7?page=1")
    setting.record(40, url="/other")
    assert setting.run() == 1
    assert setting.counted() == once(numbers)
    state = setting.state()
    assert (state.outcome, state.requests, state.error) == (LearningState.LEARNED, 35, None)
    with database.read() as session:
        version = find_version(session, USERS.operation_id(ZONE))
        operation = find_operation(session, ZONE, USERS.operation_id(ZONE))
        learned = learned_operation(operation, version)
        assert "x-hauberk-evidence" not in content_of(version).document
    assert (version.version, version.requests, version.statements, version.probability) == (1, 35, 2, 0.0005)
    assert [(one.rule, one.is_made) for one in learned.statements] == [
        ("query/id type", True),
        ("query/page type", True),
        ("query closed", False),
    ]
    status = setting.learning.status(ZONE)
    assert (status["state"], status["rows_read"], status["operations"], status["operations_done"], status["new_versions"]) == (
        "idle",
        75,
        1,
        1,
        1,
    )


def test_a_settled_hour_is_read_once_and_the_present_one_each_time(setting: Setting) -> None:
    numbers = setting.record(20, hours_ago=30) + setting.record(20, hours_ago=5) + setting.record(20, hours_ago=0)
    setting.run()
    assert sorted(setting.hours.read) == [0, 5, 30]
    assert setting.counted() == once(numbers)
    numbers += setting.record(3, hours_ago=0)
    setting.run()
    assert setting.hours.read == [0]
    assert setting.counted() == once(numbers)
    numbers += setting.record(4, hours_ago=4)
    setting.run()
    assert sorted(setting.hours.read) == [0, 4]
    assert setting.counted() == once(numbers)


def test_rows_that_come_late_count_once_as_well(setting: Setting) -> None:
    numbers = setting.record(20, hours_ago=60) + setting.record(20, hours_ago=30)
    setting.run()
    numbers += setting.record(7, hours_ago=60)
    setting.run()
    assert 60 in setting.hours.read
    assert 30 not in setting.hours.read or setting.hours.read.count(30) == 1
    assert setting.counted() == once(numbers)


def test_merging_and_deleting_segments_changes_nothing_that_was_learned(setting: Setting) -> None:
    numbers = [number for _ in range(5) for number in setting.record(4, hours_ago=30)]
    setting.run()
    assert setting.recorder.store.compact() == 5
    setting.run()
    assert setting.hours.read == []
    assert setting.recorder.store.compact(now() + timedelta(minutes=10)) == 0
    setting.run()
    assert setting.hours.read == []
    setting.recorder.store.max_bytes = 1
    assert setting.recorder.store.retain() >= 1
    numbers += setting.record(2, hours_ago=4)
    setting.run()
    assert setting.counted() == once(numbers)


def test_days_before_the_window_are_forgotten(setting: Setting, database: Database) -> None:
    setting.learning.settings = setting.learning.settings.model_copy(update={"window_days": 2})
    setting.record(20, hours_ago=24 * 4)
    numbers = setting.record(20, hours_ago=30)
    setting.run()
    assert setting.counted() == once(numbers)
    with database.write() as session:
        session.execute(update(LearnedHour).values(hour=LearnedHour.hour))
        session.execute(update(OperationProfile).values(day=OperationProfile.day - 3))
    setting.record(1, hours_ago=0)
    setting.run()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(OperationProfile)) == 0


def test_a_new_operation_takes_its_requests_out_of_the_other(setting: Setting, database: Database) -> None:
    users, me = setting.record(20), setting.record(20, url="/users/me")
    setting.run()
    assert setting.counted() == once(users + me)
    with database.write() as session:
        save_operations(session, ZONE, [ME])
    setting.run()
    assert (setting.counted(), setting.counted(ME.endpoint)) == (once(users), once(me))
    with database.write() as session:
        delete_operations(session, [ME.operation_id(ZONE)])
    setting.run()
    assert setting.counted() == once(users + me)


def test_with_an_operation_goes_all_that_was_learned_of_it(setting: Setting, database: Database) -> None:
    setting.record(20)
    setting.run()
    with database.write() as session:
        zone, operation = session.get_one(Zone, ZONE), find_operation(session, ZONE, USERS.operation_id(ZONE))
        apply_newest(session, zone, [operation])
    with database.write() as session:
        delete_operations(session, [USERS.operation_id(ZONE)])
    with database.read() as session:
        for table in (OperationProfile, OperationLearning, LearnedVersion, AppliedSchema):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    with database.write() as session:
        save_operations(session, ZONE, [USERS])
    setting.run()
    assert setting.versions() == [1]


def test_what_decides_how_rows_are_read_makes_profiles_anew(setting: Setting, database: Database) -> None:
    numbers = setting.record(20, hours_ago=30)
    setting.run()
    with database.write() as session:
        set_session_identifiers(session, ZONE, [SessionIdentifier("header", "X-Key")])
    setting.run()
    assert setting.hours.read == [30]
    assert setting.counted() == once(numbers)
    assert FakeLearner.made_with[1] == {
        "session_identifiers": ["header:x-key"],
        "only": "all",
        "trusted": [],
        "behind_proxy": False,
        "held_back": True,
    }


def test_relearning_forgets_what_was_before(setting: Setting, database: Database) -> None:
    setting.record(20, hours_ago=30)
    setting.run()
    with database.write() as session:
        relearn(session, find_operation(session, ZONE, USERS.operation_id(ZONE)))
    setting.record(20, hours_ago=1)
    numbers = setting.record(15, hours_ago=0)
    setting.run()
    assert setting.counted() == once(numbers)
    with database.write() as session:  # all is read anew
        save_operations(session, ZONE, [ME])
    setting.run()
    assert 30 in setting.hours.read
    assert setting.counted() == once(numbers)
    assert setting.versions() == [1]


@pytest.mark.parametrize(("requests", "state"), [(0, LearningState.NO_TRAFFIC), (9, LearningState.LEARNING), (10, LearningState.LEARNED)])
def test_states(setting: Setting, requests: int, state: LearningState) -> None:
    setting.record(5, url="/other")
    setting.record(requests)
    assert setting.run() == (1 if state is LearningState.LEARNED else 0)
    assert (setting.state().outcome, setting.state().requests) == (state, requests)


def test_what_fails_for_one_operation_does_not_for_others(setting: Setting, database: Database) -> None:
    with database.write() as session:
        save_operations(session, ZONE, [ME])
    setting.record(20)
    setting.record(20, url="/users/me")
    setting.statistics.fail_for = ME.endpoint
    assert setting.run() == 1
    assert (setting.state(ME).outcome, setting.state(ME).error) == (LearningState.FAILED, "RuntimeError")
    assert setting.state().outcome == LearningState.LEARNED
    setting.statistics.fail_for, setting.statistics.refuse = None, True
    setting.ask()
    assert setting.run() == 0
    assert setting.state().error == "the schema would be refused, with the codes 130"


def test_the_same_is_not_worked_out_again(setting: Setting) -> None:
    setting.record(20)
    setting.run()
    asked = setting.statistics.asked
    assert setting.run() == 0
    assert setting.statistics.asked == asked
    setting.record(1)
    assert setting.run() == 0, "the schema is the same"
    assert (setting.statistics.asked, setting.state().requests) == (asked + 1, 21)


def test_when_a_version_follows_another(setting: Setting) -> None:
    setting.record(20)
    setting.run()
    setting.record(1, url="/users/1?page=1")
    assert setting.run() == 0, "the first is not a day old"
    setting.ask()
    assert setting.run() == 1, "somebody asked"
    setting.record(1, url="/users/1?size=1")
    assert setting.run() == 0
    setting.record(30, hours_ago=0)
    assert setting.run() == 1, "it rests on twice as many requests"
    setting.record(1, url="/users/1?sort=1")
    assert setting.run() == 0
    with setting.database.write() as session:
        session.execute(update(LearnedVersion).values(created_at=now() - timedelta(hours=25)))
    assert setting.run() == 1, "a day has passed"
    assert setting.versions() == [4, 3, 2, 1]


def test_old_versions_are_forgotten_but_not_what_is_in_force(setting: Setting, database: Database) -> None:
    setting.learning.settings = setting.learning.settings.model_copy(update={"keep_versions": 2, "version_hours": 0})
    setting.record(20)
    setting.run()
    with database.write() as session:
        apply_newest(session, session.get_one(Zone, ZONE), [find_operation(session, ZONE, USERS.operation_id(ZONE))])
    for name in "abcd":
        setting.record(1, url=f"/users/1?{name}=1")
        assert setting.run() == 1
    assert setting.versions() == [5, 4, 1]


def test_relaxed_rules_make_a_version_without_them(setting: Setting) -> None:
    setting.record(20, url="/users/1?page=1")
    setting.run()
    setting.learning.relaxed = lambda _session, _operation_ids: {USERS.operation_id(ZONE): ["query/page type"]}
    setting.ask()
    assert setting.run() == 1
    with setting.database.read() as session:
        assert '"page"' not in content_of(find_version(session, USERS.operation_id(ZONE))).document


def in_force(database: Database) -> tuple[int, str | None] | None:
    with database.read() as session:
        row = session.get(AppliedSchema, USERS.operation_id(ZONE))
        return None if row is None else (row.version, session.get_one(Operation, row.operation_id).mitigation_action)


def test_what_is_learned_is_applied_by_itself_where_the_owner_wants_that(setting: Setting, database: Database) -> None:
    setting.record(20)
    setting.run()
    assert in_force(database) is None
    with database.write() as session:
        applied = set_auto_apply(session, session.get_one(Zone, ZONE), HOST, auto_apply=True)
    assert [(one.outcome, one.starts_in_log) for one in applied] == [("applied", True)]
    assert in_force(database) == (1, "log")
    with database.write() as session:
        session.get_one(Operation, USERS.operation_id(ZONE)).mitigation_action = None
    setting.record(1, url="/users/1?page=1")
    setting.ask()
    setting.run()
    assert in_force(database) == (2, None), "what the owner has done about the action stays"
    with database.write() as session:
        roll_back(session, session.get_one(Zone, ZONE), find_operation(session, ZONE, USERS.operation_id(ZONE)))
    setting.record(1, url="/users/1?size=1")
    setting.ask()
    setting.run()
    assert (in_force(database), setting.versions()) == ((1, None), [3, 2, 1]), "nor what he has gone back to"


def test_what_gateways_refuse_is_stored_and_not_applied(setting: Setting, database: Database) -> None:
    with database.write() as session:
        set_auto_apply(session, session.get_one(Zone, ZONE), HOST, auto_apply=True)

    def refuse(_session: Any) -> None:
        raise InvalidRequest("gateways could not enforce this")

    database.before_commit = refuse
    setting.record(20)
    assert setting.run() == 1
    assert (in_force(database), setting.versions()) == (None, [1])


@pytest.fixture
def other(setting: Setting, open_database: Callable[[], Database], tmp_path: Path) -> Setting:
    return Setting(open_database(), tmp_path / "traffic")


def test_one_control_plane_of_several_does_it(setting: Setting, other: Setting) -> None:
    numbers = setting.record(20)
    seen: list[Any] = []
    setting.hours.meanwhile = lambda: seen.append((other.run(), other.learning.status(ZONE)["state"]))
    assert setting.run() == 1
    assert seen == [(None, "running")]
    assert other.run() == 0
    assert setting.counted() == once(numbers)


def test_one_that_was_overtaken_counts_nothing(setting: Setting, other: Setting) -> None:
    numbers = setting.record(20)

    def lose() -> None:
        setting.hours.meanwhile = lambda: None
        with setting.database.write() as session:
            session.execute(update(LearningRun).values(lease_until=now() - timedelta(seconds=1)))
        assert other.run() == 1

    setting.hours.meanwhile = lose
    assert setting.run() is None
    setting.record(1)
    other.ask()
    other.run()
    assert other.counted() == once([*numbers, numbers[-1] + 1])


def test_one_that_dies_half_way_counts_nothing_twice(setting: Setting) -> None:
    numbers = setting.record(10, hours_ago=60) + setting.record(10, hours_ago=30)

    def die() -> None:
        if setting.hours.read == [60, 30]:
            raise KeyboardInterrupt

    setting.hours.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        setting.run()
    with setting.database.write() as session:
        session.execute(update(LearningRun).values(lease_until=now() - timedelta(seconds=1)))
    setting.hours.meanwhile = lambda: None
    assert setting.run() == 1
    assert setting.hours.read == [30]
    assert setting.counted() == once(numbers)


def test_an_operation_deleted_meanwhile_is_left_out(setting: Setting, database: Database) -> None:
    setting.record(20)

    def forget() -> None:
        with database.write() as session:
            session.execute(delete(Operation))

    setting.hours.meanwhile = forget
    assert setting.run() == 0
    assert setting.versions() == []


def test_a_failure_is_told_and_tried_again(setting: Setting) -> None:
    setting.record(20)

    def fail() -> None:
        raise StorageError("the store is away")

    setting.hours.meanwhile = fail
    with pytest.raises(StorageError):
        setting.run()
    status = setting.learning.status(ZONE)
    assert (status["state"], status["error"]) == ("waiting_to_retry", "the store is away")
    setting.hours.meanwhile = lambda: None
    assert setting.run() == 1
    assert setting.learning.status(ZONE)["state"] == "idle"


def test_the_thread_learns_by_itself_and_when_asked(setting: Setting) -> None:
    setting.record(20)
    setting.learning.start()
    eventually(lambda: setting.versions() == [1])
    setting.record(1, url="/users/1?page=1")
    eventually(lambda: setting.learning.status(ZONE)["state"] == "idle")
    assert setting.learning.request(ZONE)["state"] == "requested"
    eventually(lambda: setting.versions() == [2, 1])
    setting.learning.stop()
    assert "learning" not in {thread.name for thread in threading.enumerate()}


def test_without_traffic_or_switched_off_nothing_is_asked_for(database: Database, tmp_path: Path) -> None:
    without = SchemaLearning(database, LearningSettings(), None)
    for ask in (lambda: without.request(ZONE), lambda: without.run(ZONE)):
        with pytest.raises(Conflict, match="no traffic"):
            ask()
    assert not without.is_ready()
    off = Setting(database, tmp_path / "traffic", enabled=False)
    assert not off.learning.is_ready()
    with pytest.raises(Conflict, match=r"learning\.enabled"):
        off.ask()


def test_only_operations_that_requests_can_reach_are_learned(setting: Setting, database: Database) -> None:
    with database.write() as session:
        keys = [("GET", "api.elsewhere.test", "/a"), ("CONNECT", HOST, "/a"), ("GET", "{hostVar1}.example.com", "/v")]
        save_operations(session, ZONE, [OperationKey(*key) for key in keys])
    setting.record(1)
    setting.run()
    with database.read() as session:
        rows = {row.operation_id: row for row in session.scalars(operations_of(ZONE))}
        looked_at = {rows[id_].host for id_ in learning_of(session, list(rows))}
    assert looked_at == {HOST, "{hostVar1}.example.com"}


def test_profiles_that_cannot_be_read_are_made_anew(setting: Setting, database: Database) -> None:
    numbers = setting.record(15, hours_ago=30) + setting.record(15, hours_ago=5)
    setting.run()
    with database.write() as session:
        session.execute(update(OperationProfile).values(profile=b"damaged", digest="0" * 64))
    more = setting.record(5, hours_ago=4)
    setting.run()
    setting.run()
    assert setting.counted() == once(numbers + more)
    assert setting.state().outcome == LearningState.LEARNED


def test_a_clock_that_was_ahead_stops_nothing(setting: Setting, database: Database) -> None:
    setting.record(20)
    with database.write() as session:
        ahead = now() + timedelta(days=400)
        session.add(
            LearningRun(
                zone_id=ZONE, started_at=ahead, lease_owner="gone", lease_until=ahead + timedelta(minutes=5), **dict.fromkeys(COUNTS, 0)
            )
        )
    with database.read() as session:
        assert setting.learning.is_due(session, ZONE)
    assert setting.run() == 1


def test_a_profile_that_was_damaged_after_all_was_read_is_made_anew_by_the_next_run(setting: Setting, database: Database) -> None:
    numbers = setting.record(30)
    setting.run()
    with database.write() as session:
        session.execute(update(OperationProfile).values(profile=b"damaged", digest="0" * 64))
    assert setting.run() == 0
    state = setting.state()
    assert (state.outcome, state.error) == (LearningState.FAILED, "what was kept is damaged: it is read again")
    setting.run()
    assert (setting.state().outcome, setting.counted()) == (LearningState.LEARNED, once(numbers))
    assert setting.versions() == [1]
