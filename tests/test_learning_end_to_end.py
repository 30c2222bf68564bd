"""Learning with nothing replaced: requests through a gateway, what is learned of them, and that a gateway enforces it."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import LiveControlPlane, OriginSays, eventually, settings_for
from hauberk.gateway import GatewayRunner
from hauberk.storage.models import Host
from hauberk.traffic.store import TrafficStore

HOST = "api.example.com"
# All callers have this machine's address, as they would behind a load balancer.
SETTINGS = {"min_requests": 300, "held_back": False, "behind_proxy": True}
OPERATIONS = [("GET", "/users/{id}"), ("GET", "/search"), ("POST", "/orders")]
REQUESTS = 600


@dataclass
class Caller:
    """A client of the API, in front of the gateway."""

    address: str
    numbers: random.Random = field(default_factory=lambda: random.Random(7))

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"http://{self.address}", headers={"Host": HOST}, timeout=10, verify=False)

    def send(self, method: str, path: str, user: int = 0, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer token-of-user-{user}", **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def good(self, number: int) -> httpx.Response:
        """One of the requests that the API is made for."""
        draw, user = self.numbers, number % 60
        match number % 3:
            case 0:
                return self.send("GET", f"/users/{draw.randrange(10**5, 10**6)}", user)
            case 1:
                return self.send("GET", "/search", user, params={"sort": draw.choice(["name", "date"]), "page": draw.randrange(1, 40)})
            case _:
                lines = [{"article": draw.randrange(1, 5000), "count": draw.randrange(1, 9)} for _ in range(draw.randrange(1, 4))]
                return self.send("POST", "/orders", user, json={"note": draw.choice(["", "fast", "please ring"]), "lines": lines})


class Installation:
    """A control plane and a gateway that records bodies, both in this process."""

    def __init__(self, live: LiveControlPlane, origin: str, folder: Path) -> None:
        self.live = live
        with live.plane.database.write() as session:
            session.query(Host).one().upstreams = [origin]
        settings = settings_for(folder, live.address)
        store = live.plane.settings.traffic_store
        gateway = settings.gateway.model_copy(
            update={"https": [], "http": ["127.0.0.1:0"], "metrics": None, "poll_seconds": 0.1, "grace_seconds": 0.5}
        )
        traffic = settings.traffic.model_copy(update={"bodies": "json", "max_per_second": 1e6, "flush_seconds": 0.1, "store": store})
        self.runner = GatewayRunner(settings.model_copy(update={"gateway": gateway, "traffic": traffic}), live.base_url, live.gateway_token)
        self.thread = threading.Thread(target=self.runner.run)
        self.api = live.client()
        live.plane.learning.settings = live.plane.learning.settings.model_copy(update=SETTINGS)

    def __enter__(self) -> Installation:
        self.thread.start()
        eventually(lambda: self.runner.ready)
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.stop()
        self.thread.join()
        self.api.close()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self.api.request(method, path.replace("ZONE", self.live.zone_id), **options)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def enforced(self) -> None:
        """Wait until the gateway has what the control plane has."""
        version = self.live.plane.revision()
        eventually(lambda: self.runner.core.version == version)

    def save(self) -> dict[str, str]:
        """Save the operations; gives their ids by endpoint."""
        body = [{"method": method, "host": HOST, "endpoint": endpoint} for method, endpoint in OPERATIONS]
        saved = self.ask("POST", "/client/v4/zones/ZONE/api_gateway/operations", json=body)["result"]
        identifiers = {"auth_id_characteristics": [{"type": "header", "name": "authorization"}]}
        self.ask("PUT", "/client/v4/zones/ZONE/api_gateway/configuration", json=identifiers)
        self.enforced()
        return {one["endpoint"]: one["operation_id"] for one in saved}

    def learn(self, rows: int) -> dict[str, Any]:
        """Wait until so many rows are recorded, learn, and give how each endpoint stands."""
        store = TrafficStore(self.live.plane.settings.traffic_store)
        eventually(lambda: sum(seen.requests for seen in store.paths()) == rows)
        self.ask("POST", "/hauberk/v1/zones/ZONE/learning/run")
        self.live.plane.learning.run(self.live.zone_id)
        listed = self.ask("GET", "/hauberk/v1/zones/ZONE/learning/operations?per_page=100")["result"]
        return {one["endpoint"]: one for one in listed}

    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.ask("GET", "/client/v4/zones/ZONE/security_events?per_page=1000")["result"]
        return events


@pytest.fixture
def installation(control_plane: LiveControlPlane, origin: str, origin_says: OriginSays, tmp_path: Path) -> Iterator[Installation]:
    origin_says.body = b"{}"
    with Installation(control_plane, origin, tmp_path / "gateway") as made:
        yield made


@pytest.fixture
def caller(installation: Installation) -> Iterator[Caller]:
    made = Caller(installation.runner.core.http_addresses[0])
    yield made
    made.http.close()


BAD: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/users/1%20or%201=1", {}),
    ("GET", "/users/anna", {}),
    ("GET", "/search?sort=name&page=first", {}),
    ("GET", "/search?sort=name'--&page=1", {}),
    ("POST", "/orders", {"json": {"note": "fast", "lines": "all"}}),
    ("POST", "/orders", {"json": {"note": "fast", "lines": [{"article": {"$gt": 0}, "count": 1}]}}),
    ("POST", "/orders", {"json": ["fast"]}),
]


def test_from_requests_to_a_schema_that_is_enforced(installation: Installation, caller: Caller) -> None:
    ids = installation.save()
    for number in range(REQUESTS * 2):
        assert caller.good(number).status_code == 200
    standing = installation.learn(REQUESTS * 2)
    assert {(one["state"], one["requests"]) for one in standing.values()} == {("schema_learned", REQUESTS * 2 // 3)}
    assert all(one["notes"] == [] for one in standing.values())

    # What was looked at is applied with the compatible call; it starts by logging.
    installation.ask("PATCH", "/client/v4/zones/ZONE/schema_validation/settings", json={"validation_default_mitigation_action": "block"})
    for operation_id in ids.values():
        features = f"/client/v4/zones/ZONE/api_gateway/operations/{operation_id}?feature=parameter_schemas"
        known = installation.ask("GET", features)["result"]["features"]["parameter_schemas"]
        path = f"/client/v4/zones/ZONE/api_gateway/operations/{operation_id}/cloudflare_learned_schema"
        applied = installation.ask("PUT", path, params={"timestamp": known["last_updated"]})
        assert (applied["result"], [message["code"] for message in applied["messages"]]) == (None, [321])
    installation.enforced()
    assert [caller.send(method, path, **options).status_code for method, path, options in BAD] == [200] * len(BAD)
    eventually(lambda: len(installation.events()) >= len(BAD))
    logged = installation.events()
    assert {event["action"] for event in logged} == {"log"}

    # Then it blocks, and what the client does still passes.
    actions = {operation_id: {"mitigation_action": None} for operation_id in ids.values()}
    installation.ask("PATCH", "/client/v4/zones/ZONE/schema_validation/settings/operations", json=actions)
    installation.enforced()
    assert [caller.send(method, path, **options).status_code for method, path, options in BAD] == [403] * len(BAD)
    assert [number for number in range(900) if caller.good(number).status_code != 200] == []


def test_what_was_learned_passes_our_own_upload_and_the_traffic_it_came_from(installation: Installation, caller: Caller) -> None:
    installation.save()
    requests = [caller.good(number).request for number in range(REQUESTS * 2)]
    installation.learn(REQUESTS * 2)
    (exported,) = installation.ask("GET", "/client/v4/zones/ZONE/api_gateway/schemas?include_schema_kind=learned")["result"]["schemas"]
    body = {"kind": "openapi_v3", "name": "frozen", "source": json.dumps(exported), "validation_enabled": True}
    installation.ask("POST", "/client/v4/zones/ZONE/schema_validation/schemas", json=body)
    installation.ask("PATCH", "/client/v4/zones/ZONE/schema_validation/settings", json={"validation_default_mitigation_action": "block"})
    installation.enforced()
    refused = [number for number, request in enumerate(requests) if caller.http.send(request).status_code != 200]
    assert refused == []
    assert caller.send("GET", "/users/anna").status_code == 403


def test_without_recorded_bodies_no_body_is_refused(installation: Installation, caller: Caller) -> None:
    installation.save()
    for number in range(2, REQUESTS * 3, 3):
        # Packed by the client, so the gateway records its size alone.
        headers = {"Content-Type": "application/json", "Content-Encoding": "br"}
        caller.send("POST", "/orders", number % 60, content=b"\x0b\x02\x80{}\x03", headers=headers)
    orders = installation.learn(REQUESTS)["/orders"]
    assert orders["state"] == "schema_learned"
    assert "traffic.bodies" in orders["notes"][0]
    installation.ask("POST", "/hauberk/v1/zones/ZONE/learning/apply", json={"hosts": [HOST], "mitigation_action": "block"})
    installation.enforced()
    assert caller.send("POST", "/orders", json={"note": "fast", "lines": []}).status_code == 200
