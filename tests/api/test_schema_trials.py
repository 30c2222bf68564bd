"""Trials, relaxed rules and alerts over REST: real traffic in the store, the real core and statistics, a gateway's own snapshot."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import PATIENCE_SECONDS, LiveControlPlane, eventually, serve_control_plane, settings_for
from hauberk.config import Settings
from hauberk.errors import StorageError
from hauberk.learning.drift import Departure
from hauberk.pipeline import ControlPlane
from hauberk.storage.alerts import Refreshed, raise_alerts
from hauberk.storage.learning_tables import AppliedSchema
from hauberk.storage.models import Operation, OperationMetric, now
from hauberk.storage.trials import begin_trial, state_of, trials_of
from hauberk.traffic.hours import RecordedHour, RecordedHours
from sensor_site import HOST, OPERATIONS, SensorClients, Sent, recorded

MIN_REQUESTS = 200


class Receiver:
    """Takes what the webhook is sent."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        this = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                this.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Site:
    """A control plane with saved operations and recorded requests."""

    def __init__(self, live: LiveControlPlane) -> None:
        self.live, self.plane = live, live.plane
        self.client = live.client()
        self.clients = SensorClients(1)
        bodies = [{"method": method, "host": HOST, "endpoint": endpoint} for method, endpoint in sorted(OPERATIONS)]
        saved = self.client.post(f"/client/v4/zones/{live.zone_id}/api_gateway/operations", json=bodies).raise_for_status().json()["result"]
        self.ids = {f"{one['method']} {one['endpoint']}": one["operation_id"] for one in saved}

    def url(self, path: str) -> str:
        return f"/hauberk/v1/zones/{self.live.zone_id}/{path}"

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return self.client.request(method, self.url(path), json=body, params=query).raise_for_status().json()["result"]

    def trial(self, **body: Any) -> Any:
        return self.ask("POST", "learning/trial", body)

    def record(self, *lines: bytes) -> None:
        self.plane.traffic.import_rows(lines)

    def learn(self) -> None:
        """As the background does it, when asked."""
        self.plane.learning.request(self.live.zone_id)
        assert self.plane.learning.run(self.live.zone_id) is not None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def site(state_dir: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    def settings(folder: Path, address: str) -> Settings:
        usual = settings_for(folder, address)
        learning = usual.learning.model_copy(update={"min_requests": MIN_REQUESTS})
        return usual.model_copy(update={"learning": learning, "alerts": usual.alerts.model_copy(update={"webhook_url": receiver.url})})

    monkeypatch.setattr("conftest.settings_for", settings)
    monkeypatch.setenv("HAUBERK_WEBHOOK_SECRET", "0123456789abcdef")
    with serve_control_plane(state_dir) as live:
        site = Site(live)
        hour_ago = now() - timedelta(hours=1)
        site.record(*(recorded(sent, hour_ago) for sent in site.clients.requests(3000)))
        site.learn()
        live.plane.drift.start()
        yield site
        site.client.close()


def with_page(page: str, caller: int = 7) -> Sent:
    return Sent(caller, "GET", f"/sensors?page={page}", {"Accept": "application/json"})


def test_a_trial_counts_the_held_back_and_the_newer_alone(site: Site) -> None:
    first = site.trial()
    assert len(first["operations"]) == len(OPERATIONS)
    assert {(one["schema"], one["version"]) for one in first["operations"]} == {("learned", 1)}
    assert (first["successful"]["refused"], first["others"]["requests"], first["complete"]) == (0, 0, True)
    assert 100 < first["successful"]["requests"] < 800
    assert site.trial(everything=True)["successful"]["requests"] == 3000
    assert not site.trial(most=1, everything=True)["complete"]
    site.record(recorded(with_page("first"), now()), recorded(with_page("last"), now(), status=404), recorded(with_page("2"), now()))
    told = site.trial()
    assert told["successful"]["requests"] == first["successful"]["requests"] + 2
    assert (told["successful"]["refused"], told["others"]["refused"]) == (1, 1)
    (rule,) = told["successful"]["rules"]
    assert (rule["rule"], rule["operation_id"], rule["sessions"]) == ("query/page type", site.ids["GET /sensors"], 1)
    (only,) = site.trial(operation_ids=[site.ids["GET /temps"]])["operations"]
    assert only["endpoint"] == "/temps"


def test_a_document_is_tried_without_being_uploaded(site: Site) -> None:
    schema = {"type": "integer", "maximum": 3}
    operation = {"parameters": [{"name": "page", "in": "query", "schema": schema}], "responses": {"200": {"description": "good"}}}
    operation["x-hauberk-undeclared-query"] = "allow"
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/sensors": {"get": operation}}}
    told = site.trial(source=json.dumps(document))
    assert [(one["endpoint"], one["schema"]) for one in told["operations"]] == [("/sensors", "given")]
    (rule,) = told["successful"]["rules"]
    assert (rule["rule"], rule["explanation"]) == ("query/page maximum", "a value above 3")
    assert 0 < rule["requests"] < told["successful"]["requests"]
    refused = site.client.post(site.url("learning/trial"), json={"source": "openapi: 2"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 1301)
    wrong = site.client.post(site.url("learning/trial"), json={"version": 1})
    assert wrong.status_code == 400


def test_a_relaxed_rule_is_out_of_force_at_once_and_for_good(site: Site) -> None:
    operation_id = site.ids["GET /sensors"]
    path = f"learning/operations/{operation_id}/relaxed"
    site.ask("POST", "learning/apply", {"operation_ids": [operation_id]})
    site.record(recorded(with_page("first"), now()))
    assert site.trial()["successful"]["refused"] == 1
    revision = site.plane.revision()
    told = site.ask("POST", path, {"rules": ["query/page type"]})
    assert (told["relaxed"], told["version"], told["in_force"]) == (["query/page type"], 2, True)
    assert site.plane.revision() == revision + 1
    assert site.trial()["successful"]["refused"] == 0
    with site.plane.database.read() as session:
        assert session.get_one(AppliedSchema, operation_id).version == 2
    (listed,) = site.ask("GET", "learning/relaxed")
    assert (listed["rule"], listed["endpoint"]) == ("query/page type", "/sensors")
    # Learned anew it stays out, and asked for again nothing changes.
    site.learn()
    newest = site.ask("GET", f"learning/operations/{operation_id}/versions/newest")
    assert not [one for one in newest["statement_list"] if one["rule"] == "query/page type"]
    assert site.ask("POST", path, {"rules": ["query/page type"]})["relaxed"] == []
    unknown = site.client.post(site.url(path), json={"rules": ["query/nothing type"]})
    assert unknown.status_code == 400
    # Taken back, it is learned again.
    site.ask("DELETE", path, rule="query/page type")
    assert site.ask("GET", "learning/relaxed") == []
    site.learn()
    newest = site.ask("GET", f"learning/operations/{operation_id}/versions/newest")
    assert [one for one in newest["statement_list"] if one["rule"] == "query/page type"]


def test_drift_is_told_once_by_all_ways(site: Site, receiver: Receiver) -> None:
    operation_id = site.ids["GET /sensors"]
    site.ask("POST", "learning/apply", {"operation_ids": [operation_id]})
    site.learn()
    assert site.ask("GET", "alerts") == []
    # One caller is not enough, however much it sends.
    site.record(*(recorded(with_page(f"first-{n}", 7), now()) for n in range(300)))
    site.learn()
    assert site.ask("GET", "alerts") == []
    site.record(*(recorded(with_page(f"secret-{n}", n), now()) for n in range(30)))
    site.learn()
    (alert,) = site.ask("GET", "alerts", acknowledged=False)
    told = {name: alert[name] for name in ("kind", "pointer", "keyword", "refused", "summary", "operation_id", "version")}
    assert told == {
        "kind": "new_type",
        "pointer": "query/page",
        "keyword": "type",
        "refused": True,
        "summary": "comes as string, was integer only",
        "operation_id": operation_id,
        "version": 1,
    }
    assert alert["refreshed_version"] > alert["version"]
    assert alert["sources"] > 10
    eventually(lambda: len(receiver.received) == 1 and site.ask("GET", "alerts")[0]["delivered_at"] is not None)
    assert receiver.received[0]["id"] == alert["id"]
    assert receiver.received[0]["text"] == f"GET {HOST}/sensors: query/page comes as string, was integer only"
    metrics = httpx.get(f"{site.live.base_url}/metrics", verify=False).text
    assert 'hauberk_drift_alerts_total{kind="new_type"} 1.0' in metrics
    assert 'hauberk_drift_alerts_open{kind="new_type"} 1.0' in metrics
    assert 'hauberk_webhook_messages_total{outcome="delivered"} 1.0' in metrics
    site.record(*(recorded(with_page(f"secret-{n}", n), now()) for n in range(50, 90)))
    site.learn()
    assert len(site.ask("GET", "alerts")) == 1
    whole = site.ask("GET", f"alerts/{alert['id']}")
    assert "type" in {change["kind"] for change in whole["changes"] if change["where"] == f"GET {HOST}/sensors query/page"}
    assert "secret" not in json.dumps([whole, receiver.received])
    assert site.ask("POST", f"alerts/{alert['id']}/acknowledge")["acknowledged_at"] is not None
    assert site.ask("GET", "alerts", acknowledged=False) == []
    assert site.ask("POST", "alerts/acknowledge", {"all": True}) == []
    assert site.ask("DELETE", f"alerts/{alert['id']}/acknowledge")["acknowledged_at"] is None
    assert [one["id"] for one in site.ask("POST", "alerts/acknowledge", {"all": True})] == [alert["id"]]
    assert [one["id"] for one in site.ask("POST", "alerts/acknowledge", {"ids": [alert["id"]], "acknowledged": False})] == [alert["id"]]
    assert site.ask("POST", "alerts/acknowledge", {"ids": [alert["id"]], "acknowledged": False}) == []
    assert site.client.post(site.url("alerts/acknowledge"), json={"all": True, "acknowledged": False}).status_code == 400
    assert [len(site.ask("GET", "alerts", breaking=breaking)) for breaking in (alert["breaking"], not alert["breaking"])] == [1, 0]
    assert len(site.ask("GET", "alerts", acknowledged=False)) == 1
    assert site.client.post(site.url("alerts/acknowledge"), json={}).status_code == 400
    assert site.client.get(site.url("alerts/unknown")).status_code == 404


def test_an_operation_that_falls_silent_is_told_once(site: Site) -> None:
    def count(operation: str, days_ago: int, requests: int) -> None:
        hour = (now() - timedelta(days=days_ago)).replace(minute=0, second=0, microsecond=0)
        row = {"client_errors": 0, "server_errors": 0, "last_seen": hour, "latency": ""}
        with site.plane.database.write() as session:
            session.add(OperationMetric(operation_id=site.ids[operation], hour=hour, requests=requests, **row))

    count("GET /temps", 9, 500)
    site.plane.drift.look_for_silence()  # all are silent: it is the gateways
    assert site.ask("GET", "alerts") == []
    count("GET /sensors", 0, 1)
    for _ in range(2):
        site.plane.drift.look_for_silence()
        (alert,) = site.ask("GET", "alerts", kind="disappeared")
        assert (alert["endpoint"], alert["summary"]) == ("/temps", "is not called any more: the last request came 9 days ago")


def test_what_was_not_delivered_is_offered_again_at_the_next_start(site: Site, receiver: Receiver) -> None:
    site.plane.drift.stop()
    departed = Departure("new_parameter", "query/x", "closed", 20, 4, True, "is new")
    with site.plane.database.write() as session:
        raise_alerts(session, session.get_one(Operation, site.ids["GET /sensors"]), [departed], Refreshed(1, 1))
    again = ControlPlane(site.plane.settings)
    try:
        again.drift.start()
        eventually(lambda: [one["pointer"] for one in receiver.received] == ["query/x"])
    finally:
        again.close()


class PausedHours(RecordedHours):
    """A store whose second batch comes when a test says so."""

    def __init__(self, hours: RecordedHours) -> None:
        super().__init__(hours.folder)
        self.may_go_on = threading.Event()
        self.waits = threading.Event()

    def lines(self, *hours: RecordedHour, successful: bool = True) -> Iterator[bytes]:
        for batch in super().lines(*hours, successful=successful):
            yield batch
            self.waits.set()
            assert self.may_go_on.wait(PATIENCE_SECONDS)


@pytest.fixture
def paused(site: Site) -> Iterator[PausedHours]:
    assert isinstance(site.plane.trials.hours, RecordedHours)
    site.record(recorded(with_page("first"), now()))
    hours = PausedHours(site.plane.trials.hours)
    site.plane.trials.hours = hours
    yield hours
    hours.may_go_on.set()


def ended(site: Site, trial_id: str) -> Any:
    eventually(lambda: site.ask("GET", f"learning/trials/{trial_id}")["state"] != "running")
    return site.ask("GET", f"learning/trials/{trial_id}")


def test_a_trial_in_the_background_comes_to_the_same(site: Site) -> None:
    site.record(recorded(with_page("first"), now()), recorded(with_page("2"), now()))
    answer = site.client.post(site.url("learning/trials"), json={"everything": True})
    begun = answer.json()["result"]
    assert (answer.status_code, begun["state"], begun["asked"]["everything"], begun["asked"]["source"]) == (202, "running", True, False)
    told = ended(site, begun["id"])
    assert (told["state"], told["rows"], told["rows_read"], told["judged"], told["refused"]) == ("done", 3002, 3002, 3002, 1)
    at_once = site.trial(everything=True)
    assert {**told["result"], "until": None} == {**at_once, "until": None}
    of_sensors = next(one for one in told["result"]["operations"] if one["operation_id"] == site.ids["GET /sensors"])
    assert of_sensors["refused"] == 1
    assert sum(one["requests"] for one in told["result"]["operations"]) == 3002
    (listed,) = site.ask("GET", "learning/trials")
    assert (listed["id"], "result" in listed) == (begun["id"], False)
    assert site.client.get(site.url("learning/trials/unknown")).status_code == 404
    assert site.client.post(site.url("learning/trials"), json={"source": "openapi: 2"}).status_code == 400


def test_one_trial_of_a_zone_runs_at_a_time_and_can_be_cancelled(site: Site, paused: PausedHours) -> None:
    begun = site.ask("POST", "learning/trials", {"everything": True})
    paused.waits.wait(PATIENCE_SECONDS)
    second = site.client.post(site.url("learning/trials"), json={})
    assert (second.status_code, begun["id"] in second.json()["errors"][0]["message"]) == (409, True)
    told = site.ask("DELETE", f"learning/trials/{begun['id']}")
    assert (told["state"], told["cancelled_at"] is not None) == ("running", True)
    paused.may_go_on.set()
    told = ended(site, begun["id"])
    assert (told["state"], told["result"]["ended_by"], told["result"]["complete"]) == ("cancelled", "cancelled", False)
    assert 0 < told["judged"] < told["rows"] == 3001
    assert told["result"]["successful"]["requests"] == told["judged"]
    assert site.client.delete(site.url(f"learning/trials/{begun['id']}")).status_code == 409


def test_a_trial_ends_when_its_time_is_over(site: Site, paused: PausedHours) -> None:
    site.plane.trial_runs.settings = site.plane.settings.learning.model_copy(update={"trial_seconds": 0})
    paused.may_go_on.set()
    told = ended(site, site.ask("POST", "learning/trials", {})["id"])
    assert (told["state"], told["result"]["ended_by"]) == ("done", "time")
    assert told["rows_read"] < told["rows"]


def test_the_last_results_outlast_a_restart_and_what_ran_is_interrupted(site: Site, paused: PausedHours) -> None:
    site.plane.trial_runs.settings = site.plane.settings.learning.model_copy(update={"keep_trials": 3})
    paused.may_go_on.set()
    ids = []
    for _ in range(4):
        ids.append(site.ask("POST", "learning/trials", {})["id"])
        ended(site, ids[-1])
    assert [one["id"] for one in site.ask("GET", "learning/trials")] == ids[:0:-1]
    # As a crash leaves it: the lease of one that nobody is at any more runs out.
    with site.plane.database.write() as session:
        crashed = begin_trial(session, site.live.zone_id, "gone", {})
        crashed.lease_until = now() - timedelta(seconds=1)
    again = ControlPlane(site.plane.settings)
    try:
        with again.database.read() as session:
            rows = {row.id: state_of(row).value for row in session.scalars(trials_of(site.live.zone_id))}
        assert rows[crashed.id] == "interrupted"
        assert [rows[id_] for id_ in ids[1:]] == ["done"] * 3
    finally:
        again.close()
    assert site.ask("GET", f"learning/trials/{crashed.id}")["state"] == "interrupted"
    ended(site, site.ask("POST", "learning/trials", {})["id"])  # it does not stand in the way
    # As a stop leaves it.
    paused.may_go_on.clear()
    paused.waits.clear()
    last = site.ask("POST", "learning/trials", {})["id"]
    paused.waits.wait(PATIENCE_SECONDS)
    stopping = threading.Thread(target=site.plane.trial_runs.stop)
    stopping.start()
    eventually(lambda: site.plane.trial_runs.is_stopping)
    paused.may_go_on.set()
    stopping.join()
    assert site.ask("GET", f"learning/trials/{last}")["state"] == "interrupted"


def test_a_failure_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise StorageError("the store is away")

    monkeypatch.setattr(site.plane.trials.hours, "hours", fail)
    told = ended(site, site.ask("POST", "learning/trials", {})["id"])
    assert (told["state"], told["error"], told["result"]) == ("failed", "the store is away", None)


def test_which_schemas_are_tried(site: Site) -> None:
    def tried(**body: Any) -> dict[str, str]:
        return {one["endpoint"]: f"{one['schema']} {one['version']}" for one in site.trial(hosts=[HOST], **body)["operations"]}

    operation = {"responses": {"200": {"description": "good"}}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/temps": {"get": operation}}}
    body = {"kind": "openapi_v3", "name": "t", "source": json.dumps(document), "validation_enabled": False}
    upload = site.client.post(f"/client/v4/zones/{site.live.zone_id}/schema_validation/schemas", json=body).json()["result"]
    assert tried(schemas="in_force") == {}
    assert tried(schema_id=upload["schema_id"]) == {"/temps": "given None"}
    site.ask("POST", "learning/apply", {"operation_ids": [site.ids["GET /sensors"]]})
    assert tried(schemas="in_force") == {"/sensors": "learned 1"}
    path = f"/client/v4/zones/{site.live.zone_id}/schema_validation/schemas/{upload['schema_id']}"
    site.client.patch(path, json={"validation_enabled": True}).raise_for_status()
    only = [site.ids["GET /temps"]]
    assert site.trial(operation_ids=only)["operations"][0]["schema"] == "uploaded"
    assert site.trial(operation_ids=only, schemas="in_force")["operations"][0]["schema"] == "uploaded"
    assert site.trial(operation_ids=only, schemas="learned")["operations"][0]["schema"] == "learned"
    for wrong in ({"schema_id": upload["schema_id"], "source": "x"}, {"schema_id": "unknown"}, {"schemas": "all"}):
        assert site.client.post(site.url("learning/trials"), json=wrong).status_code in {400, 404}


def test_a_learning_run_is_cancelled_over_rest(site: Site) -> None:
    assert site.client.delete(site.url("learning/run")).status_code == 409
    site.ask("POST", "learning/run")
    told = site.ask("DELETE", "learning/run")
    assert (told["state"], told["requested_at"]) == ("idle", None)


def test_times(site: Site) -> None:
    told = site.trial()
    since, until = (datetime.fromisoformat(told[name]) for name in ("since", "until"))
    assert since < until <= datetime.now(UTC)
