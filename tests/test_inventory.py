"""The background look at traffic: what it reads, what it records, who does it, and what it does when something is wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from conftest import eventually
from hauberk import _native
from hauberk.config import DiscoverySettings
from hauberk.errors import Conflict, InvalidRequest, NotFound
from hauberk.inventory import Inventory
from hauberk.session_identifier import SessionIdentifier
from hauberk.storage.candidates import candidates_of
from hauberk.storage.database import Database
from hauberk.storage.discovery_runs import run_of
from hauberk.storage.discovery_tables import DiscoveryRun
from hauberk.storage.models import Zone, now
from hauberk.storage.session_identifiers import session_identifiers, set_session_identifiers
from hauberk.storage.template_rules import add_template_rule
from hauberk.template_rule import TemplateRule
from hauberk.traffic_questions import TrafficQuestions
from traffic_fakes import HOST, FakeDiscovery, FakeTraffic, row

pytestmark = pytest.mark.both_databases


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    database = open_database()
    with database.write() as session:
        session.add(Zone(id="z", name="example.com"))
        session.add(Zone(id="shop", name="shop.example.com"))
    return database


def make(database: Database, source: FakeTraffic, **settings: Any) -> Inventory:
    inventory = Inventory(database, DiscoverySettings(**settings), FakeDiscovery, 0.5, lambda path: path.replace("1", "{masked}"))
    inventory.source = source
    return inventory


def unscored(records: Any) -> list[float]:
    return [0.0] * len(records)


@pytest.fixture
def inventory(database: Database) -> Iterator[Inventory]:
    made = make(database, FakeTraffic([row(f"/users/{n}", 100) for n in range(10)]))
    yield made
    made.stop()


def listed(database: Database, zone: str = "z") -> list[tuple[str, str, str]]:
    with database.read() as session:
        rows = sorted(session.scalars(candidates_of(zone)), key=lambda row: (row.host, row.endpoint))
        return [(found.method, found.host, found.endpoint) for found in rows]


def test_a_look_makes_candidates_of_what_counts(inventory: Inventory, database: Database) -> None:
    source = inventory.source
    assert isinstance(source, FakeTraffic)
    source.rows += [
        row("/rare", 499),
        row("/page", 10_000, score=0.1),
        row("/login", 600, method="POST"),
        row("/members", 10_000, score=0.1, with_session=500),
        row("/users/7", 5, host="API.example.com:8443"),
        row("/cart", host="www.shop.example.com"),
        row("/x", host="elsewhere.test"),
        row("/cdn-cgi/trace", 9999),
    ]
    recorded = inventory.refresh("z")
    assert recorded is not None
    assert listed(database) == [("POST", HOST, "/login"), ("GET", HOST, "/members"), ("GET", HOST, "/users/{var1}")]
    with database.read() as session:
        found = {stored.endpoint: stored for stored in session.scalars(candidates_of("z"))}
    assert (found["/users/{var1}"].requests, found["/users/{var1}"].distinct_paths) == (1005, 10)
    assert (found["/members"].ml, found["/members"].session_identifier) == (False, True)
    assert found["/users/{var1}"].examples == ["/users/0", "/users/{masked}", "/users/2", "/users/3", "/users/4"]
    hosts, since, until = source.asked[0]
    assert hosts == ["API.example.com:8443", HOST]
    assert until - since == timedelta(days=10)
    status = inventory.status("z")
    assert (status["state"], status["paths_read"], status["candidates"], status["error"]) == ("idle", 15, 3, None)
    inventory.refresh("shop")
    assert listed(database, "shop") == [("GET", "www.shop.example.com", "/cart")]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, ["/b"]),
        ({"min_requests": 10}, ["/a", "/b"]),
        ({"min_score": 0.95}, []),
        ({"min_requests": 10, "min_score": 0.05}, ["/a", "/b", "/c"]),
    ],
)
def test_thresholds_are_settings(database: Database, settings: dict[str, Any], found: list[str]) -> None:
    source = FakeTraffic([row("/a", 10), row("/b", 600), row("/c", 600, score=0.1)])
    make(database, source, **settings).refresh("z")
    assert [endpoint for _, _, endpoint in listed(database)] == found


def test_the_mean_is_over_the_time_that_was_seen(inventory: Inventory, database: Database) -> None:
    a_day_ago = int((now() - timedelta(days=1)).timestamp())
    inventory.source = FakeTraffic([row("/a", 2400, first=a_day_ago)])
    inventory.refresh("z")
    with database.read() as session:
        assert session.scalars(candidates_of("z")).one().requests_per_period == pytest.approx(100, rel=0.01)


def test_rules_outlast_looks_and_their_end_too(inventory: Inventory, database: Database) -> None:
    inventory.source = FakeTraffic([row("/shops/berlin"), row("/shops/paris"), row("/v/1"), row("/v/2")])
    inventory.refresh("z")
    assert [endpoint for *_, endpoint in listed(database)] == ["/shops/berlin", "/shops/paris", "/v/{var1}"]
    with database.write() as session:
        pin = add_template_rule(session, "z", TemplateRule("pin", HOST, "GET", "/shops/{var1}"))
        add_template_rule(session, "z", TemplateRule("split", HOST, None, "/v/{var1}", 1))
    for _ in range(2):
        inventory.refresh("z")
        assert [endpoint for *_, endpoint in listed(database)] == ["/shops/{var1}", "/v/1", "/v/2"]
    with database.write() as session:
        session.delete(session.get_one(type(pin), pin.id))
    inventory.refresh("z")
    assert [endpoint for *_, endpoint in listed(database)] == ["/shops/berlin", "/shops/paris", "/v/1", "/v/2"]


def test_one_control_plane_of_several_does_it(inventory: Inventory, database: Database, open_database: Callable[[], Database]) -> None:
    other = make(open_database(), FakeTraffic([row("/other")]))
    seen: list[Any] = []
    assert isinstance(inventory.source, FakeTraffic)
    inventory.source.meanwhile = lambda: seen.extend([other.refresh("z"), other.status("z")["state"], other.status("z")["phase"]])
    assert inventory.refresh("z") is not None
    assert seen == [None, "running", "reading"]
    assert listed(database) == [("GET", HOST, "/users/{var1}")]
    assert other.refresh("z") is not None
    assert listed(database) == [("GET", HOST, "/other")]


def test_one_that_was_overtaken_records_nothing(inventory: Inventory, database: Database, open_database: Callable[[], Database]) -> None:
    other = make(open_database(), FakeTraffic([row("/other")]))

    def lose() -> None:
        with database.write() as session:
            session.execute(update(DiscoveryRun).values(lease_until=now() - timedelta(seconds=1)))
        assert other.refresh("z") is not None

    assert isinstance(inventory.source, FakeTraffic)
    inventory.source.meanwhile = lose
    assert inventory.refresh("z") is None
    assert listed(database) == [("GET", HOST, "/other")]
    assert other.status("z")["state"] == "idle"


def test_a_failure_is_told_and_the_next_look_is_free(inventory: Inventory, database: Database) -> None:
    source = inventory.source
    assert isinstance(source, FakeTraffic)

    def fail() -> None:
        raise OSError("the disk with /secret/path is gone")

    source.meanwhile = fail
    with pytest.raises(OSError, match="disk"):
        inventory.refresh("z")
    status = inventory.status("z")
    assert (status["state"], status["error"]) == ("failed", "OSError")
    source.meanwhile = lambda: None
    assert inventory.refresh("z") is not None
    assert inventory.status("z")["state"] == "idle"


def test_the_thread_looks_by_itself_and_when_asked(inventory: Inventory, database: Database) -> None:
    inventory.start()
    eventually(lambda: listed(database) == [("GET", HOST, "/users/{var1}")])
    eventually(lambda: inventory.status("shop")["finished_at"] is not None)
    assert isinstance(inventory.source, FakeTraffic)
    inventory.source.rows.append(row("/new"))
    assert inventory.request("z")["state"] == "requested"
    eventually(lambda: len(listed(database)) == 2, seconds=10)
    inventory.stop()
    assert "discovery" not in {thread.name for thread in threading.enumerate()}


def test_a_zone_that_fails_does_not_keep_others_waiting(inventory: Inventory, database: Database) -> None:
    source = inventory.source
    assert isinstance(source, FakeTraffic)
    source.rows.append(row("/cart", host="www.shop.example.com"))

    def fail_for_one() -> None:
        if source.asked[-1][0] == [HOST]:
            raise RuntimeError

    source.meanwhile = fail_for_one
    inventory.start()
    eventually(lambda: listed(database, "shop") == [("GET", "www.shop.example.com", "/cart")])
    eventually(lambda: inventory.status("z")["state"] == "failed")


def test_without_traffic_nothing_is_asked_for(database: Database) -> None:
    inventory = Inventory(database, DiscoverySettings(), None, 0.5)
    for ask in (
        lambda: inventory.request("z"),
        lambda: inventory.refresh("z"),
        lambda: inventory.proposal("z"),
        lambda: TrafficQuestions(inventory, unscored).explain("z", HOST, "GET", "/a"),
    ):
        with pytest.raises(Conflict, match="no traffic"):
            ask()
    assert inventory.status("z")["state"] == "idle"


def test_why_a_path_is_where_it_is_and_what_it_lacks(inventory: Inventory) -> None:
    assert isinstance(inventory.source, FakeTraffic)
    inventory.source.rows.append(row("/rare", 3))
    told = TrafficQuestions(inventory, unscored).explain("z", HOST, "GET", "/users/4711")
    assert told["explanation"]["segments"][0]["reasons"][0] == "its values are numbers"
    assert told["explanation"]["segments"][0]["examples"] == ["{masked}", "{masked}{masked}", "2"]
    assert (told["operation"]["endpoint"], told["operation"]["origin"], told["operation"]["lacks"]) == ("/users/{var1}", ["ML"], [])
    rare = TrafficQuestions(inventory, unscored).explain("z", HOST, "GET", "/rare")["operation"]
    assert (rare["origin"], rare["lacks"]) == ([], ["3 successful requests in the window, and 500 are needed"])
    with pytest.raises(NotFound, match="10 days"):
        TrafficQuestions(inventory, unscored).explain("z", HOST, "DELETE", "/users/1")


def authorized(with_it: int, without: int) -> list[dict[str, Any]]:
    token = {"host": HOST, "status": 200, "request_headers": [["Authorization", "Bearer h:1"]]}
    return [token] * with_it + [token | {"request_headers": []}] * without


def chosen(database: Database) -> list[SessionIdentifier]:
    with database.read() as session:
        return session_identifiers(session, "z")


@pytest.mark.parametrize(("with_it", "without", "taken"), [(2, 98, True), (1, 99, False), (50, 0, False)])
def test_authorization_is_taken_by_itself(database: Database, with_it: int, without: int, taken: bool) -> None:
    make(database, FakeTraffic(sample=authorized(with_it, without))).refresh("z")
    assert chosen(database) == ([SessionIdentifier("header", "authorization")] if taken else [])


def test_the_owners_choice_stands(database: Database) -> None:
    source = FakeTraffic(sample=authorized(200, 0))
    make(database, source, automatic_session_identifier=False).refresh("z")
    assert chosen(database) == []
    with database.write() as session:
        run_of(session, "z").identifiers_chosen = True
    make(database, source).refresh("z")
    assert chosen(database) == [], "the owner has cleared it"
    with database.write() as session:
        run_of(session, "z").identifiers_chosen = False
        set_session_identifiers(session, "z", [SessionIdentifier("cookie", "sid")])
    make(database, source).refresh("z")
    assert chosen(database) == [SessionIdentifier("cookie", "sid")]


def test_a_choice_that_gateways_refuse_does_not_keep_candidates_away(database: Database) -> None:
    def refuse(_session: Any) -> None:
        raise InvalidRequest("gateways could not enforce this")

    database.before_commit = refuse
    make(database, FakeTraffic([row("/a")], authorized(200, 0))).refresh("z")
    assert chosen(database) == []
    assert listed(database) == [("GET", HOST, "/a")]


def test_with_the_real_grouping_of_paths(database: Database) -> None:
    rows = [row(f"/v1/users/{n * 7919}", 20) for n in range(60)] + [row(f"/v1/users/{n * 7919}/orders", 20) for n in range(60)]
    rows += [row("/v1/users/search", 600), row("/v1/login", 600, method="POST"), row("/v1/users/4", 600, host=f"{HOST}:8443")]
    inventory = make(database, FakeTraffic(rows))
    inventory.engine = _native.Discovery
    inventory.refresh("z")
    wanted = [("POST", HOST, "/v1/login"), ("GET", HOST, "/v1/users/search")]
    wanted += [("GET", HOST, "/v1/users/{var1}"), ("GET", HOST, "/v1/users/{var1}/orders")]
    assert listed(database) == wanted
    told = TrafficQuestions(inventory, unscored).explain("z", HOST, "GET", "/v1/users/12345")
    assert told["explanation"]["endpoint"] == told["operation"]["endpoint"] == "/v1/users/{var1}"
    with database.write() as session:
        add_template_rule(session, "z", TemplateRule("pin", HOST, "GET", "/v1/users/4"))
    inventory.refresh("z")
    assert ("GET", HOST, "/v1/users/4") in listed(database)


def test_a_run_has_one_row(inventory: Inventory, database: Database) -> None:
    for _ in range(3):
        inventory.refresh("z")
        inventory.request("z")
    with database.read() as session:
        assert len(session.scalars(select(DiscoveryRun)).all()) == 1


def test_a_look_that_is_cancelled_records_nothing(inventory: Inventory, database: Database) -> None:
    inventory.refresh("z")
    before = listed(database)
    assert isinstance(inventory.source, FakeTraffic)
    inventory.source.rows.append(row("/new"))
    inventory.source.meanwhile = lambda: inventory.cancel("z")
    assert inventory.refresh("z") is None
    status = inventory.status("z")
    assert (status["state"], status["phase"], status["error"]) == ("cancelled", None, None)
    assert listed(database) == before
    with pytest.raises(Conflict, match="no look"):
        inventory.cancel("z")
    inventory.source.meanwhile = lambda: None
    assert inventory.refresh("z") is not None
    assert inventory.status("z")["state"] == "idle"


def test_a_look_that_was_asked_for_can_be_cancelled_before_it_begins(inventory: Inventory) -> None:
    assert inventory.request("z")["state"] == "requested"
    assert inventory.cancel("z")["state"] == "cancelled"
    assert inventory.request("z")["state"] == "requested"


def test_requests_are_counted_over_time_when_it_is_due(inventory: Inventory, database: Database) -> None:
    def series() -> dict[str, Any]:
        with database.read() as session:
            return {found.endpoint: found.series for found in session.scalars(candidates_of("z"))}

    inventory.refresh("z")
    first = series()["/users/{var1}"]
    assert first["requests"] == [990, *[0] * 38, 10]
    assert first["step_seconds"] == pytest.approx(864_000 / 40)
    assert isinstance(inventory.source, FakeTraffic)
    inventory.source.rows.append(row("/users/99", 100))
    inventory.refresh("z")
    assert series()["/users/{var1}"]["requests"][0] == 990, "nobody asked, and it was just counted"
    inventory.source.rows.append(row("/fresh", 700))
    inventory.refresh("z")
    assert series()["/users/{var1}"]["requests"][0] == 1089, "a candidate had none yet"
    assert series()["/fresh"]["requests"][0] == 699
    inventory.source.rows.append(row("/users/98", 100))
    inventory.request("z")
    inventory.refresh("z")
    assert series()["/users/{var1}"]["requests"][0] == 1188, "somebody asked"


def test_what_is_no_candidate_is_told(inventory: Inventory, database: Database) -> None:
    assert isinstance(inventory.source, FakeTraffic)
    inventory.source.rows += [row(f"/rare{letter}", 400 + place) for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz")]
    inventory.source.rows.append(row("/page", 10_000, score=0.1))
    inventory.refresh("z")
    with database.read() as session:
        told = run_of(session, "z").below
    assert told is not None
    assert (told["few"], told["unlike"], len(told["nearest"])) == (26, 1, 20)
    assert told["nearest"][0] == {"method": "GET", "host": HOST, "endpoint": "/rarez", "requests": 425, "score": 0.9}
