"""The learned, the uploaded and the running schema of one operation: shown alike, and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cloudflare
import pytest

from conftest import LiveControlPlane
from hauberk import _native
from hauberk.api.schema_fragment import operation_document
from hauberk.learning.difference import difference
from hauberk.operation import OperationKey
from learning_fakes import HOST
from learning_setting import Setting

UPLOADED: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Users", "version": "1"},
    "servers": [{"url": f"https://{HOST}"}],
    "paths": {
        "/users/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"$ref": "#/components/schemas/Id"}}],
            "get": {
                "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "ok"}},
                "x-hauberk-undeclared-query": "allow",
            },
        }
    },
    "components": {"schemas": {"Id": {"type": "integer", "minimum": 1}, "Unused": {"type": "string"}}},
}


@pytest.fixture
def setting(control_plane: LiveControlPlane, sdk: cloudflare.Cloudflare) -> Iterator[Setting]:
    with control_plane.client() as http:
        yield Setting(control_plane, sdk, http)


def schemas(setting: Setting) -> Any:
    return setting.http.get(f"/hauberk/v1/zones/{setting.live.zone_id}/endpoints/{setting.users}/schemas").json()["result"]


def compared(setting: Setting, before: str, after: str, status: int = 200) -> Any:
    query = {"before": before, "after": after}
    answer = setting.http.get(f"/hauberk/v1/zones/{setting.live.zone_id}/endpoints/{setting.users}/difference", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()["result"]


def upload(setting: Setting, *, enabled: bool = True) -> str:
    body = {"kind": "openapi_v3", "name": "users", "source": json.dumps(UPLOADED), "validation_enabled": enabled}
    answer = setting.http.post(f"{setting.live.zone}/schema_validation/schemas", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["result"]["schema_id"])


def test_what_is_not_there_is_null(setting: Setting) -> None:
    assert schemas(setting) == {"learned": None, "uploaded": None, "running": None}
    compared(setting, "learned", "running", 404)
    compared(setting, "learned", "nothing", 400)


def test_learned_uploaded_and_running_are_shown_and_compared(setting: Setting) -> None:
    setting.learn(url="/users/1?page=1")
    setting.put()
    setting.learn(url="/users/1?sort=up")
    told = schemas(setting)
    assert (told["learned"]["version"], told["running"]["version"], told["uploaded"]) == (2, 1, None)
    changes = compared(setting, "running", "learned")
    assert [(one["kind"], one["where"]) for one in changes["changes"]] == [("parameter-added", f"GET {HOST}/users/{{var1}} query/sort")]
    assert changes["breaking"] is False
    upload(setting)
    told = schemas(setting)
    assert (told["running"]["kind"], told["running"]["name"], told["running"]["document"]) == (
        "uploaded",
        "users",
        told["uploaded"]["document"],
    )
    changes = compared(setting, "uploaded", "learned")
    assert "minimum" in {one["kind"] for one in changes["changes"]} | {
        one["kind"] for one in compared(setting, "learned", "uploaded")["changes"]
    }
    assert compared(setting, "running", "uploaded")["changes"] == []


def test_an_uploaded_schema_that_is_off_is_shown_but_does_not_run(setting: Setting) -> None:
    schema_id = upload(setting, enabled=False)
    told = schemas(setting)
    assert (told["uploaded"]["schema_id"], told["uploaded"]["validation_enabled"], told["running"]) == (schema_id, False, None)


def test_one_operation_is_cut_out_as_it_is_enforced() -> None:
    key = OperationKey("GET", HOST, "/users/{var1}")
    cut = operation_document(json.dumps(UPLOADED), key, "/users/{id}")
    assert _native.check_document(json.dumps(cut).encode())["ok"]
    assert difference(UPLOADED, cut) == difference(cut, UPLOADED) == []
    assert set(cut["components"]["schemas"]) == {"Id"}
    operation = cut["paths"]["/users/{var1}"]["get"]
    assert [(one["in"], one["name"]) for one in operation["parameters"]] == [("path", "var1"), ("query", "page")]
    assert operation["x-hauberk-undeclared-query"] == "allow"


def test_a_base_path_stands_in_the_path() -> None:
    document = {**UPLOADED, "servers": [{"url": f"https://{HOST}/{{tenant}}/v1", "variables": {"tenant": {"default": "a"}}}]}
    cut = operation_document(json.dumps(document), OperationKey("GET", HOST, "/{var1}/v1/users/{var2}"), "/users/{id}")
    operation = cut["paths"]["/{var1}/v1/users/{var2}"]["get"]
    assert [(one["in"], one["name"]) for one in operation["parameters"]] == [("path", "var1"), ("path", "var2"), ("query", "page")]
    assert operation["parameters"][1]["schema"] == {"$ref": "#/components/schemas/Id"}
    assert _native.check_document(json.dumps(cut).encode())["ok"]
