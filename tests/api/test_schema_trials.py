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

from conftest import LiveControlPlane, eventually, serve_control_plane, settings_for
from hauberk.config import Settings
from hauberk.learning.drift import Departure
from hauberk.pipeline import ControlPlane
from hauberk.storage.alerts import Refreshed, raise_alerts
from hauberk.storage.learning_tables import AppliedSchema
from hauberk.storage.models import Operation, OperationMetric, now
from sensor_site import HOST, OPERATIONS, SensorClients, Sent

MIN_REQUESTS = 200


def line(sent: Sent, at: datetime, **members: Any) -> bytes:
    headers = [[name, value] for name, value in sent.headers.items() if name != "Authorization"]
    row = {"host": HOST, "method": sent.method, "url": f"https://{HOST}{sent.target}", "request_headers": headers, "status": 200}
    row |= {"client": f"192.0.2.{sent.caller}", "session": f"{sent.caller:016x}", "time": at.isoformat()}
    return json.dumps(row | ({"request_body": sent.body.decode()} if sent.body is not None else {}) | members).encode()


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
        site.record(*(line(sent, hour_ago) for sent in site.clients.requests(3000)))
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
    site.record(line(with_page("first"), now()), line(with_page("last"), now(), status=404), line(with_page("2"), now()))
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
    site.record(line(with_page("first"), now()))
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
    site.record(*(line(with_page(f"first-{n}", 7), now()) for n in range(300)))
    site.learn()
    assert site.ask("GET", "alerts") == []
    site.record(*(line(with_page(f"secret-{n}", n), now()) for n in range(30)))
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
    site.record(*(line(with_page(f"secret-{n}", n), now()) for n in range(50, 90)))
    site.learn()
    assert len(site.ask("GET", "alerts")) == 1
    whole = site.ask("GET", f"alerts/{alert['id']}")
    assert "type" in {change["kind"] for change in whole["changes"] if change["where"] == f"GET {HOST}/sensors query/page"}
    assert "secret" not in json.dumps([whole, receiver.received])
    assert site.ask("POST", f"alerts/{alert['id']}/acknowledge")["acknowledged_at"] is not None
    assert site.ask("GET", "alerts", acknowledged=False) == []
    assert site.ask("POST", "alerts/acknowledge", {"all": True}) == []
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


def test_times(site: Site) -> None:
    told = site.trial()
    since, until = (datetime.fromisoformat(told[name]) for name in ("since", "until"))
    assert since < until <= datetime.now(UTC)
