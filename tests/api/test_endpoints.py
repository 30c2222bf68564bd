"""The list of endpoints: filtered, ordered and counted as a plain computation does it; many changed at once, and back."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from conftest import LiveControlPlane
from hauberk import _native
from hauberk.operation import METHODS, OperationKey
from hauberk.storage.alert_tables import DriftAlert
from hauberk.storage.endpoint_tables import OperationLatency, SchemaOperation
from hauberk.storage.learning_tables import AppliedSchema, LearnedVersion, OperationLearning
from hauberk.storage.models import Operation, Schema, Zone, now
from hauberk.storage.operation_latency import refresh_latency
from hauberk.storage.operation_metrics import Counted, hour_of, store_metrics

pytestmark = pytest.mark.both_databases

HOUR = timedelta(hours=1)
STATES = ["uploaded", "drift", "learned", "not_applied", "learning", "none"]
ACTIONS = ["none", "log", "block"]
DIRECTIONS = ("asc", "desc")
# None that falls out of the last 24 hours should an hour begin while a test runs.
AGO = [*range(23), *range(26, 41)]


class Universe:
    """Operations with all that the list shows, made at random, and the list computed from it one by one."""

    def __init__(self, live: LiveControlPlane, seed: int) -> None:
        self.chance, self.zone_id, self.database = random.Random(seed), live.zone_id, live.plane.database
        self.database.before_commit = lambda _session: None  # what gateways would say of schemas of this kind is not asked here
        self.hour = hour_of(now())
        self.default, self.override = self.chance.choice(ACTIONS), self.chance.choice([None, None, None, "none"])
        self.schemas = {name: self.chance.random() < 0.7 for name in ("s1", "s2", "s3")}
        self.rows = [self._row(number) for number in range(self.chance.randint(0, 40))]
        self._store()

    def _row(self, number: int) -> dict[str, Any]:
        chance = self.chance
        key = OperationKey(
            chance.choice(METHODS[:3]), f"{chance.choice('abc')}.example.com", f"/{chance.choice(['users', 'a%25b', 'X_y'])}/{number}"
        )
        hours = {
            self.hour - HOUR * ago: (
                chance.randint(1, 50),
                chance.randint(0, 9),
                chance.randint(0, 9),
                f"{chance.randint(1, 400)}:{chance.randint(1, 9)}",
            )
            for ago in {chance.choice(AGO) for _ in range(chance.choice([0, 1, 4]))}
        }
        kinds = {name: chance.random() < 0.4 for name in ("applied", "learned", "drift", "acknowledged")}
        return {
            "key": key, "id": key.operation_id(self.zone_id), "hours": hours, "own": chance.choice([None, *ACTIONS]),
            "declared": [name for name in self.schemas if chance.random() < 0.2],
            "outcome": chance.choice([None, "learning", "schema_learned"]),
            **kinds,
        }  # fmt: skip

    def _store(self) -> None:
        with self.database.write() as session:
            for table in (Operation, Schema, DriftAlert):
                session.execute(delete(table))
            zone = session.get_one(Zone, self.zone_id)
            zone.default_action, zone.override_action = self.default, self.override
            for name, enabled in self.schemas.items():
                session.add(_schema(self.zone_id, name, enabled))
            session.add_all(
                Operation(operation_id=row["id"], zone_id=self.zone_id, **row["key"]._asdict(), mitigation_action=row["own"])
                for row in self.rows
            )
            session.flush()
            for row in self.rows:
                session.add_all(self._of(row))
            counted = [
                Counted(row["id"], hour, *numbers[:3], hour + timedelta(minutes=row["hours"][hour][0]), numbers[3])
                for row in self.rows
                for hour, numbers in row["hours"].items()
            ]
            session.flush()
            # In two batches, so that latency is put together as it arrives.
            self.chance.shuffle(counted)
            for part in (counted[::2], counted[1::2]):
                store_metrics(session, f"{self.chance.getrandbits(128):032x}", part)

    def _of(self, row: dict[str, Any]) -> list[Any]:
        id_, made = row["id"], []
        made += [SchemaOperation(schema_id=name, operation_id=id_) for name in row["declared"]]
        if row["outcome"]:
            made.append(
                OperationLearning(operation_id=id_, outcome=row["outcome"], requests=5, samples=5, bodies_missing=False, last_version=1)
            )
        if row["learned"]:
            made.append(
                LearnedVersion(operation_id=id_, version=1, digest="", content=b"", requests=1, samples=1, probability=0.1, statements=1)
            )
        if row["applied"]:
            made.append(AppliedSchema(operation_id=id_, version=1, schema_id=id_, name="n", source="{}"))
        if row["drift"]:
            told = {"kind": "k", "pointer": "", "keyword": "", "summary": "", "refused": False, "samples": 1, "sources": 1}
            place = {"zone_id": self.zone_id, "operation_id": id_, **row["key"]._asdict()}
            seen = now() if row["acknowledged"] else None
            made.append(DriftAlert(**place, **told, breaking=False, changes=[], acknowledged_at=seen))
        return made

    def state(self, row: dict[str, Any]) -> str:
        if any(self.schemas[name] for name in row["declared"]):
            return "uploaded"
        if row["applied"]:
            return "drift" if row["drift"] and not row["acknowledged"] else "learned"
        return "not_applied" if row["learned"] else "learning" if row["outcome"] == "learning" else "none"

    def action(self, row: dict[str, Any]) -> str:
        return str(self.override or row["own"] or self.default)

    def told(self, row: dict[str, Any], since: datetime | None) -> dict[str, Any]:
        begun = hour_of(since or now() - 24 * HOUR)
        hours = {hour: numbers for hour, numbers in row["hours"].items() if hour >= begun}
        requests, client, server = (sum(numbers[at] for numbers in hours.values()) for at in range(3))
        sketch = _native.merge_sketches([numbers[3] for numbers in hours.values()])
        p50, p95, p99 = _native.sketch_quantiles([sketch], [0.5, 0.95, 0.99])
        last = max((hour + timedelta(minutes=numbers[0]) for hour, numbers in hours.items()), default=None)
        return {
            "method": row["key"].method, "host": row["key"].host, "endpoint": row["key"].endpoint,
            "requests": requests, "client_errors": client, "server_errors": server,
            "error_share": (client + server) / requests if requests else None,
            "p50": p50, "p95": p95, "p99": p99, "last_seen": last, "state": self.state(row), "action": self.action(row),
        }  # fmt: skip

    def matching(self, query: dict[str, Any], but: str | None = None) -> list[dict[str, Any]]:
        """List the rows that a filter means, one of its members left out."""
        wanted = {name: value for name, value in query.items() if name != but}
        return [row for row in self.rows if all(self._fits(row, name, value) for name, value in wanted.items())]

    def _fits(self, row: dict[str, Any], name: str, value: Any) -> bool:
        key: OperationKey = row["key"]
        match name:
            case "search":
                return value.lower() in f"{key.method} {key.host}{key.endpoint}".lower()
            case "host" | "method":
                return getattr(key, name) in value
            case "state":
                return self.state(row) in value
            case "action":
                return self.action(row) in value
            case "schema":
                return value in row["declared"]
        return True

    def ordered(self, rows: list[dict[str, Any]], order: str, descending: bool, since: datetime | None) -> list[str]:
        told = {row["id"]: self.told(row, since) for row in rows}
        ranks: dict[str, list[str]] = {"state": STATES, "action": ACTIONS}

        def value(id_: str) -> Any:
            it = told[id_][order]
            return ranks[order].index(it) if order in ranks else it

        by_place = sorted(told, key=lambda id_: (told[id_]["host"], told[id_]["endpoint"], told[id_]["method"]))
        known = sorted((id_ for id_ in by_place if value(id_) is not None), key=value, reverse=descending)
        if descending:  # equal ones still come by place
            known = [id_ for one in dict.fromkeys(value(id_) for id_ in known) for id_ in by_place if value(id_) == one]
        return known + [id_ for id_ in by_place if value(id_) is None]


def _schema(zone_id: str, name: str, enabled: bool) -> Schema:
    return Schema(
        schema_id=name, zone_id=zone_id, name=name, source="{}", sha256="", operations=[], warnings=[], validation_enabled=enabled
    )


def a_query(chance: random.Random) -> dict[str, Any]:
    possible = {
        "search": chance.choice(["users", "GET ", "post a.ex", "%25", "_", "\\", "/1", "nothing"]),
        "host": chance.sample(["a.example.com", "b.example.com", "c.example.com"], chance.randint(1, 2)),
        "method": chance.sample(METHODS[:4], chance.randint(1, 2)),
        "state": chance.sample(STATES, chance.randint(1, 3)),
        "action": chance.sample(ACTIONS, chance.randint(1, 2)),
        "schema": chance.choice(["s1", "s2", "s3", "s4"]),
    }
    return {name: value for name, value in possible.items() if chance.random() < 0.25}


ORDERS = ["endpoint", "method", "host", "requests", "client_errors", "server_errors", "error_share", "last_seen", "state", "action"]


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_the_list_is_what_a_plain_computation_gives(control_plane: LiveControlPlane, seed: int) -> None:
    universe, chance = Universe(control_plane, seed), random.Random(seed)
    own = f"/hauberk/v1/zones/{control_plane.zone_id}/endpoints"
    with control_plane.client() as client:
        for _ in range(20):
            query, direction = a_query(chance), chance.choice(DIRECTIONS)
            since = chance.choice([None, now() - chance.randint(0, 60) * HOUR])
            order = chance.choice(ORDERS + (["p50", "p95", "p99"] if since is None else []))
            rows = universe.matching(query)
            wanted = universe.ordered(rows, order, direction == "desc", since)
            asked: dict[str, Any] = {**query, "order": order, "direction": direction, "per_page": 7}
            asked |= {"since": since.isoformat()} if since is not None else {}
            given_ids: list[str] = []
            for page in range(1, len(rows) // 7 + 3):
                answer = client.get(own, params={**asked, "page": page}).json()
                assert answer["result_info"]["total_count"] == len(rows)
                given_ids += [row["operation_id"] for row in answer["result"]]
                for row in answer["result"]:
                    _same(row, universe.told(next(one for one in rows if one["id"] == row["operation_id"]), since))
            assert given_ids == wanted
            _same_counts(client.get(f"{own}/counts", params=query).json()["result"], universe, query)


def _same(row: dict[str, Any], told: dict[str, Any]) -> None:
    assert {name: row[name] for name in ("method", "host", "endpoint", "requests", "client_errors", "server_errors", "error_share")} == {
        name: told[name] for name in ("method", "host", "endpoint", "requests", "client_errors", "server_errors", "error_share")
    }
    assert (row["schema"]["state"], row["action"]["in_force"]) == (told["state"], told["action"])
    assert row["last_seen"] == (told["last_seen"] and told["last_seen"].isoformat())
    for name in ("p50", "p95", "p99"):
        if told[name] is None:
            assert row["latency_ms"] is None
        else:
            assert row["latency_ms"][name] == pytest.approx(told[name] / 1000, abs=0.001)
    assert sum(row["requests_by_hour"]) == told["requests"]


def _same_counts(counts: dict[str, Any], universe: Universe, query: dict[str, Any]) -> None:
    assert counts["total"] == len(universe.matching(query))
    for name, of in (("host", lambda row: row["key"].host), ("method", lambda row: row["key"].method)):
        rows = universe.matching(query, but=name)
        assert counts[f"{name}s"] == {value: sum(of(row) == value for row in rows) for value in sorted({of(row) for row in rows})}
    assert sum(counts["states"].values()) == len(universe.matching(query, but="state"))
    assert sum(counts["actions"].values()) == len(universe.matching(query, but="action"))


class Saved:
    """Some operations, and calls about them."""

    def __init__(self, live: LiveControlPlane, http: httpx.Client) -> None:
        self.live, self.http = live, http
        self.own = f"/hauberk/v1/zones/{live.zone_id}/endpoints"
        body = [
            {"method": "GET", "host": live.host, "endpoint": f"/users/{number}", "mitigation_action": action}
            for number, action in enumerate([None, "log", "block", None])
        ]
        self.ids = [row["operation_id"] for row in self.call("", {"operations": body})]

    def call(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.http.post(self.own + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()["result"]

    def actions(self) -> list[str | None]:
        rows = self.http.get(self.own).json()["result"]
        return [row["action"]["own"] for row in rows]


@pytest.fixture
def saved(control_plane: LiveControlPlane) -> Any:
    with control_plane.client() as http:
        yield Saved(control_plane, http)


def test_actions_of_all_that_match_are_set_and_taken_back(saved: Saved) -> None:
    assert saved.actions() == [None, "log", "block", None]
    changed = saved.call("/actions", {"changes": [{"mitigation_action": "block", "matching": {"search": "/users/"}}]})
    assert (changed["changed"], changed["unchanged"]) == (3, 1)
    assert saved.actions() == ["block"] * 4
    back = saved.call("/actions", changed["before"])
    assert back["changed"] == 3
    assert saved.actions() == [None, "log", "block", None]
    saved.call("/actions", {"changes": [{"mitigation_action": None, "operation_ids": saved.ids[1:3]}]})
    assert saved.actions() == [None] * 4
    assert saved.call("/actions", {"changes": [{"mitigation_action": None, "matching": {}}]})["before"] is None


def test_what_somebody_has_changed_since_is_not_taken_back(saved: Saved) -> None:
    changed = saved.call("/actions", {"changes": [{"mitigation_action": "block", "matching": {}}]})
    saved.call("/actions", {"changes": [{"mitigation_action": "none", "operation_ids": saved.ids[:1]}]})
    saved.call("/actions", changed["before"], status=409)
    assert saved.actions() == ["none", "block", "block", "block"]
    saved.call("/actions", {"changes": [{"mitigation_action": "block", "operation_ids": saved.ids[:1]}]})
    saved.call("/actions", changed["before"])
    assert saved.actions() == [None, "log", "block", None]
    deleted = saved.call("/delete", {"operation_ids": saved.ids[1:3]})
    again = {name: value for name, value in deleted["before"]["operations"][0].items() if name != "mitigation_action"}
    saved.call("", {"operations": [again]})
    saved.call("", deleted["before"])
    assert saved.actions() == [None, None, "block", None], "who saved it again has decided about its action"


def test_an_operation_that_somebody_works_with_is_not_deleted(saved: Saved) -> None:
    saved.call("/delete", {"operation_ids": saved.ids[:2], "instead_of": None}, status=409)
    database = saved.live.plane.database
    database.before_commit = lambda _session: None  # what gateways would say of such a schema is not asked here
    with database.write() as session:
        session.add(AppliedSchema(operation_id=saved.ids[0], version=1, schema_id="s", name="s", source="{}"))
    saved.call("/delete", {"operation_ids": saved.ids[:1], "instead_of": None}, status=409)
    assert saved.call("/delete", {"operation_ids": saved.ids[3:], "instead_of": None})["deleted"] == 1
    assert saved.call("/delete", {"operation_ids": saved.ids[:2]})["deleted"] == 2


def test_a_selection_that_lacks_one_changes_nothing(saved: Saved) -> None:
    revision = saved.live.plane.revision()
    missing = {"mitigation_action": "none", "operation_ids": [saved.ids[0], "gone"]}
    saved.call("/actions", {"changes": [{"mitigation_action": "log", "operation_ids": saved.ids}, missing]}, status=404)
    saved.call("/delete", {"operation_ids": [saved.ids[0], "gone"]}, status=404)
    for body in ({}, {"operation_ids": [], "matching": {}}, {"matching": {"unknown": 1}}, {"matching": {"search": "\0"}}):
        saved.call("/delete", body, status=400)
    assert saved.actions() == [None, "log", "block", None]
    assert saved.live.plane.revision() == revision


def test_deleted_operations_are_saved_again_with_their_actions(saved: Saved) -> None:
    deleted = saved.call("/delete", {"matching": {"action": ["log", "block"]}})
    assert deleted["deleted"] == 2
    assert saved.actions() == [None, None]
    assert [row["operation_id"] for row in saved.call("", deleted["before"])] == saved.ids[1:3]
    assert saved.actions() == [None, "log", "block", None]


def test_a_viewer_sees_and_changes_nothing(saved: Saved) -> None:
    answer = saved.http.post("/hauberk/v1/tokens", json={"name": "v", "email": "v@example.com", "scope": "read"})
    with saved.live.client(answer.json()["result"]["token"]) as viewer:
        assert viewer.get(saved.own).status_code == 200
        assert viewer.get(f"{saved.own}/counts").status_code == 200
        for path in ("", "/actions", "/delete"):
            assert viewer.post(saved.own + path, json={}).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"order": "p95", "since": "2026-01-01T00:00:00Z"}, {"since": "2000-01-01T00:00:00Z"}, {"since": "2999-01-01T00:00:00Z"},
        {"order": "x"}, {"state": "x"}, {"action": "x"}, {"per_page": "501"}, {"page": "0"}, {"search": "\0"}, {"schema": "\0"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(saved: Saved, query: dict[str, str]) -> None:
    assert saved.http.get(saved.own, params=query).status_code == 400


def test_one_endpoint_and_where_its_action_comes_from(saved: Saved) -> None:
    def action(number: int) -> tuple[str, str]:
        told = saved.http.get(f"{saved.own}/{saved.ids[number]}").json()["result"]["action"]
        return told["in_force"], told["source"]

    zone = f"{saved.live.zone}/schema_validation/settings"
    assert (action(0), action(2)) == (("none", "default"), ("block", "own"))
    saved.http.patch(zone, json={"validation_default_mitigation_action": "log", "validation_override_mitigation_action": "none"})
    assert (action(0), action(2)) == (("none", "override"), ("none", "override"))
    saved.http.patch(zone, json={"validation_override_mitigation_action": None})
    assert (action(0), action(2)) == (("log", "default"), ("block", "own"))
    assert saved.http.get(f"{saved.own}/{saved.ids[0][:-1]}x").status_code == 404


def test_an_upload_is_known_by_the_operations_it_declares(saved: Saved) -> None:
    paths = {path: {"get": {"responses": {"200": {"description": "ok"}}}} for path in ("/users/0", "/users/1")}
    source = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "servers": [{"url": "https://api.example.com"}], "paths": paths}
    body = {"kind": "openapi_v3", "name": "users", "source": json.dumps(source), "validation_enabled": True}
    schema_id = saved.http.post(f"{saved.live.zone}/schema_validation/schemas", json=body).json()["result"]["schema_id"]

    def states() -> list[str]:
        return [row["schema"]["state"] for row in saved.http.get(saved.own).json()["result"]]

    assert states() == ["uploaded", "uploaded", "none", "none"]
    row = saved.http.get(saved.own, params={"schema": schema_id.upper()}).json()["result"][0]
    assert row["schema"]["uploaded"] == {"schema_id": schema_id, "name": "users"}
    saved.http.patch(f"{saved.live.zone}/schema_validation/schemas/{schema_id}", json={"validation_enabled": False})
    assert states() == ["none"] * 4
    assert saved.http.get(f"{saved.own}/counts", params={"schema": schema_id}).json()["result"]["total"] == 2
    saved.http.delete(f"{saved.live.zone}/schema_validation/schemas/{schema_id}")
    with saved.live.plane.database.read() as session:
        assert session.scalars(select(SchemaOperation)).all() == []


def test_latency_of_yesterday_falls_out_when_an_hour_begins(saved: Saved) -> None:
    hour = hour_of(now())
    with saved.live.plane.database.write() as session:
        for ago, bucket in ((0, 100), (24, 300)):
            at = hour - ago * HOUR
            store_metrics(session, f"{ago:032x}", [Counted(saved.ids[0], at, 1, 0, 0, at, f"{bucket}:1")])
        store_metrics(session, "f" * 32, [Counted(saved.ids[1], hour - 24 * HOUR, 1, 0, 0, hour, "5:1")])

    def kept() -> dict[str, str]:
        with saved.live.plane.database.read() as session:
            return {row.operation_id: row.sketch for row in session.scalars(select(OperationLatency))}

    assert kept() == {saved.ids[0]: "100:1 300:1", saved.ids[1]: "5:1"}
    with saved.live.plane.database.write() as session:
        assert refresh_latency(session, hour + HOUR, most=1) == 1
        assert refresh_latency(session, hour + HOUR) == 1
        assert refresh_latency(session, hour + HOUR) == 0
    assert kept() == {saved.ids[0]: "100:1"}
