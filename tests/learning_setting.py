"""A control plane that learns from requests a test records: versions, states and all that follows from them, without days of traffic."""

from __future__ import annotations

import json
from typing import Any

import cloudflare
import httpx

from conftest import LiveControlPlane
from hauberk.operation import OperationKey
from learning_fakes import HOST, FakeStatistics, Recorder

USERS = ("GET", HOST, "/users/{var1}")
ORDERS = ("POST", HOST, "/orders")


class Setting:
    """A control plane that has learned."""

    def __init__(self, live: LiveControlPlane, sdk: cloudflare.Cloudflare, http: httpx.Client) -> None:
        self.live, self.sdk, self.http = live, sdk, http
        self.statistics = FakeStatistics()
        self.learning = live.plane.learning
        self.learning.parts = self.statistics.parts()
        self.learning.settings = self.learning.settings.model_copy(update={"min_requests": 10})
        self.recorder = Recorder(live.plane.settings.state_dir / "traffic")
        self.own = f"/hauberk/v1/zones/{live.zone_id}/learning"
        self.ids = {key: OperationKey(*key).operation_id(live.zone_id) for key in (USERS, ORDERS)}
        operations = [{"method": method, "host": host, "endpoint": endpoint} for method, host, endpoint in (USERS, ORDERS)]
        sdk.api_gateway.operations.bulk_create(zone_id=live.zone_id, body=operations)  # type: ignore[arg-type]

    @property
    def users(self) -> str:
        return self.ids[USERS]

    def learn(self, count: int = 20, url: str = "/users/1", **members: Any) -> None:
        """Record requests, and learn whatever differs."""
        self.recorder.record(count, url=url, **members)
        self.learning.request(self.live.zone_id)
        self.learning.run(self.live.zone_id)

    def call(self, method: str, path: str, status: int = 200, json: Any = None, **query: Any) -> Any:
        answer = self.http.request(method, path if path.startswith("/client") else self.own + path, json=json, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, **query)["result"]

    def put(self, operation_id: str | None = None, status: int = 200, **query: Any) -> Any:
        path = f"/client/v4/zones/{self.live.zone_id}/api_gateway/operations/{operation_id or self.users}/cloudflare_learned_schema"
        return self.call("PUT", path, status, **query)

    def snapshot(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.live.plane.snapshot().data.partition(b"\n")[2])
        return content

    def enforced(self) -> dict[str, str | None]:
        """Endpoint to the name of the schema that gateways enforce on it."""
        content = self.snapshot()
        names = {schema["schema_id"]: schema["name"] for schema in content["schemas"]}
        operations = content["zones"][0]["operations"]
        return {one["endpoint"]: one["schema"] and names[one["schema"]["schema_id"]] for one in operations}

    def default_action(self, action: str) -> None:
        self.sdk.schema_validation.settings.edit(zone_id=self.live.zone_id, validation_default_mitigation_action=action)  # type: ignore[arg-type]

    def action(self) -> str | None:
        action: str | None = self.get(f"/operations/{self.users}")["mitigation_action"]
        return action
