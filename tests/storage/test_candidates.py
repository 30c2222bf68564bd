"""Candidates in the database: what stays from look to look, what vanishes, and how they follow saved operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, inspect, select

from hauberk.candidate import Candidate, Finding, State
from hauberk.errors import Conflict, NotFound
from hauberk.operation import OperationKey
from hauberk.storage import database as database_module
from hauberk.storage.candidates import (
    Recorded,
    Window,
    candidates_of,
    filter_candidates,
    findings_of,
    order_candidates,
    record_candidates,
    set_states,
)
from hauberk.storage.database import Database
from hauberk.storage.models import Base, Installation, Operation, Zone
from hauberk.storage.operations import delete_operations, save_operations
from hauberk.template_rule import TemplateRule

pytestmark = pytest.mark.both_databases

UNTIL = datetime(2026, 6, 11, tzinfo=UTC)
WINDOW = Window(UNTIL - timedelta(days=10), UNTIL)
HOST = "api.example.com"


def found(endpoint: str, method: str = "GET", host: str = HOST, **changes: Any) -> Candidate:
    values: dict[str, Any] = {"origins": ("ML",), "requests": 2400, "score": 0.9, "distinct_paths": 1} | changes
    return Candidate(method, host, endpoint, first_seen=None, last_seen=None, examples=(), **values)


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    database = open_database()
    with database.write() as session:
        session.add(Zone(id="z", name="example.com"))
        session.add(Zone(id="other", name="example.org"))
    return database


def record(database: Database, *candidates: Candidate, rules: list[TemplateRule] | None = None, zone: str = "z") -> Recorded:
    with database.write() as session:
        return record_candidates(session, session.get_one(Zone, zone), candidates, WINDOW, rules or [])


def states(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {f"{row.method} {row.endpoint}": row.state for row in session.scalars(candidates_of("z"))}


def ident(endpoint: str, method: str = "GET") -> str:
    return OperationKey(method, HOST, endpoint).operation_id("z")


def put(database: Database, endpoint: str, state: State) -> None:
    with database.write() as session:
        set_states(session, "z", {ident(endpoint): state})


def save(database: Database, endpoint: str) -> None:
    with database.write() as session:
        save_operations(session, "z", [OperationKey("GET", HOST, endpoint)])


def delete(database: Database, endpoint: str) -> None:
    with database.write() as session:
        delete_operations(session, [ident(endpoint)])


def test_tables_and_migrations_agree(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_database_of_before_gets_the_tables_and_keeps_what_it_has(database: Database, open_database: Callable[[], Database]) -> None:
    save(database, "/a")
    config = Config()
    config.set_main_option("script_location", str(Path(database_module.__file__).parent / "migrations"))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        connection.commit()
        assert "discovered_operations" not in inspect(connection).get_table_names()
    again = open_database()
    record(again, found("/a"))
    assert states(again) == {"GET /a": "saved"}


def test_the_id_is_that_of_the_operation_and_stays(database: Database) -> None:
    assert record(database, found("/a")) == Recorded(stored=1, new=1, vanished=0, refused=0)
    assert record(database, found("/a", requests=10)) == Recorded(stored=1, new=0, vanished=0, refused=0)
    with database.read() as session:
        (row,) = session.scalars(candidates_of("z")).all()
        findings = list(findings_of(session, "z"))
    assert row.id == ident("/a")
    assert (row.requests, row.examples) == (10, list(found("/a").examples))
    assert findings == [Finding(found("/a").key, found("/a").origins)]
    assert row.requests_per_period == pytest.approx(10 / 240)


def test_numbers_that_hardly_changed_are_not_written_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def requests() -> int:
        with database.read() as session:
            return session.scalars(candidates_of("z")).one().requests

    record(database, found("/a", requests=1000))
    record(database, found("/a", requests=1009))
    assert requests() == 1000
    record(database, found("/a", requests=1011))
    assert requests() == 1011
    record(database, found("/a", requests=1012, origins=("ML", "SessionIdentifier")))
    assert requests() == 1012
    monkeypatch.setattr("hauberk.storage.candidates.COUNTED_EVERY", timedelta(0))
    record(database, found("/a", requests=1013, origins=("ML", "SessionIdentifier")))
    assert requests() == 1013


def test_a_short_time_is_not_made_more_of() -> None:
    assert Window(UNTIL - timedelta(minutes=1), UNTIL).periods == 1
    assert WINDOW.periods == 240


@pytest.mark.parametrize(
    ("first_seen", "hours"),
    [([], 240), ([int(UNTIL.timestamp()) - 7200], 2), ([0], 240), ([-(10**18)], 240), ([10**18], 1), ([int(UNTIL.timestamp())], 1)],
)
def test_the_window_begins_with_the_first_request(first_seen: list[int], hours: int) -> None:
    assert WINDOW.from_first(*first_seen).periods == hours


def test_what_was_found_on_two_ports_is_one_and_what_cannot_be_saved_is_counted(database: Database) -> None:
    recorded = record(
        database,
        found("/a", requests=1),
        found("/a", host=f"{HOST}:8443", requests=2, origins=("SessionIdentifier",)),
        found("/a", host="api.example.org"),
        found("no path"),
        found("/a", host="a b"),
    )
    assert recorded == Recorded(stored=1, new=1, vanished=0, refused=3)
    with database.read() as session:
        (row,) = session.scalars(candidates_of("z")).all()
    assert (row.requests, row.ml, row.session_identifier) == (3, True, True)


def test_what_is_not_found_any_more_vanishes_unless_saved_or_ignored(database: Database) -> None:
    record(database, found("/review"), found("/saved"), found("/ignored"))
    save(database, "/saved")
    put(database, "/ignored", State.IGNORED)
    assert states(database) == {"GET /review": "review", "GET /saved": "saved", "GET /ignored": "ignored"}
    assert record(database).vanished == 1
    assert states(database) == {"GET /saved": "saved", "GET /ignored": "ignored"}
    record(database, found("/saved"), found("/ignored"))
    assert states(database) == {"GET /saved": "saved", "GET /ignored": "ignored"}
    delete(database, "/saved")
    assert states(database) == {"GET /saved": "review", "GET /ignored": "ignored"}
    assert record(database).vanished == 1
    assert states(database) == {"GET /ignored": "ignored"}


def test_other_zones_are_left_alone(database: Database) -> None:
    record(database, found("/a", host="api.example.org"), zone="other")
    record(database, found("/b"))
    record(database)
    with database.read() as session:
        assert [row.endpoint for row in session.scalars(candidates_of("other"))] == ["/a"]


def test_a_saved_operation_is_known_when_its_candidate_comes_later(database: Database) -> None:
    save(database, "/users/{var1}")
    record(database, found("/users/{var1}"))
    assert states(database) == {"GET /users/{var1}": "saved"}


def test_an_ignored_one_that_is_saved_and_deleted_is_back_in_review(database: Database) -> None:
    record(database, found("/a"))
    put(database, "/a", State.IGNORED)
    save(database, "/a")
    assert states(database) == {"GET /a": "saved"}
    delete(database, "/a")
    assert states(database) == {"GET /a": "review"}


def test_a_rule_takes_what_it_replaces_and_never_a_saved_operation(database: Database) -> None:
    record(database, found("/users/ann"), found("/users/bob"), found("/users/eve"), found("/shops/ann"))
    put(database, "/users/ann", State.IGNORED)
    put(database, "/shops/ann", State.IGNORED)
    save(database, "/users/bob")
    record(database, found("/users/{var1}"), rules=[TemplateRule("pin", HOST, "GET", "/users/{var1}")])
    assert states(database) == {"GET /users/{var1}": "review", "GET /users/bob": "saved", "GET /shops/ann": "ignored"}
    with database.read() as session:
        assert [row.endpoint for row in session.scalars(select(Operation))] == ["/users/bob"]


def test_states_are_set_for_all_or_none(database: Database) -> None:
    record(database, found("/a"), found("/b"), found("/c"))
    save(database, "/c")
    for ids, error in (([ident("/a"), "0" * 36], NotFound), ([ident("/a"), ident("/c")], Conflict), ([ident("/a"), "a\0b"], NotFound)):
        with pytest.raises(error), database.write() as session:
            set_states(session, "z", dict.fromkeys(ids, State.IGNORED))
        assert states(database) == {"GET /a": "review", "GET /b": "review", "GET /c": "saved"}
    with pytest.raises(NotFound), database.write() as session:
        set_states(session, "other", {ident("/a"): State.IGNORED})


def test_recording_is_nothing_that_gateways_enforce(database: Database) -> None:
    with database.read() as session:
        before = session.scalars(select(Installation.revision)).one()
    record(database, found("/a"))
    put(database, "/a", State.IGNORED)
    with database.read() as session:
        assert session.scalars(select(Installation.revision)).one() == before


one_of_few = st.builds(
    found,
    st.sampled_from(["/a", "/b/{x}", "/b/{y}", "no path"]),
    st.sampled_from(["GET", "POST"]),
    st.sampled_from([HOST, f"{HOST}:8443", "API.example.com", "elsewhere.test"]),
    requests=st.integers(1, 1000),
    origins=st.sampled_from([("ML",), ("SessionIdentifier",), ("ML", "SessionIdentifier")]),
)


@given(st.lists(one_of_few, max_size=8), st.randoms())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_candidates_and_recording_them_again_change_nothing(
    database: Database, candidates: list[Candidate], random: Random
) -> None:
    def rows() -> list[tuple[Any, ...]]:
        with database.read() as session:
            query = order_candidates(candidates_of("z"), None, descending=False)
            return [(row.id, row.state, row.ml, row.session_identifier, row.requests) for row in session.scalars(query)]

    record(database)
    recorded = record(database, *candidates)
    before = rows()
    assert recorded.stored == len(before)
    shuffled = random.sample(candidates, len(candidates))
    assert record(database, *shuffled) == Recorded(recorded.stored, 0, 0, recorded.refused)
    assert rows() == before


def test_ten_thousand_of_each_stay_fast(database: Database) -> None:
    """Neither a statement for each row nor work that grows with the square; processor time, since others use the machine as well."""
    endpoints = [f"/resource{n}/{{var1}}" for n in range(10_000)]
    with database.write() as session:
        save_operations(session, "z", [OperationKey("POST", HOST, endpoint) for endpoint in endpoints])
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _r, statement, *_more: statements.append(statement))
    started = time.process_time()
    for times in (1, 2):  # the second time all numbers are new
        assert record(database, *(found(endpoint, requests=n * times) for n, endpoint in enumerate(endpoints))).stored == 10_000
    with database.read() as session:
        for order in ("traffic_stats.requests", "endpoint", None):
            query = order_candidates(filter_candidates(candidates_of("z"), hosts=[HOST], not_saved=True), order, descending=True)  # type: ignore[arg-type]
            assert len(session.scalars(query.limit(50).offset(9_950)).all()) == 50
    assert len(statements) < 40
    assert time.process_time() - started < 20
