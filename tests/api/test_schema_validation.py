"""Schema validation, current family: uploads, the zone's actions, and actions per operation."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import cloudflare
import pytest
from cloudflare.types.schema_validation import PublicSchema

from conftest import LiveControlPlane, serve_control_plane
from hauberk import schema
from hauberk.storage.enforcement import read_enforced
from hauberk.storage.schemas import schemas_in_force
from openapi_documents import BAD, TEMPERATURES, YAML, document, with_servers, with_xml

HOST = "api.example.com"
UNKNOWN = "00000000-0000-5000-8000-000000000000"


def upload(
    sdk: cloudflare.Cloudflare,
    live: LiveControlPlane,
    source: str | None = None,
    *,
    enabled: bool = True,
    name: str = "temps",
    **query: Any,
) -> PublicSchema:
    schema = sdk.schema_validation.schemas.create(
        zone_id=live.zone_id, kind="openapi_v3", name=name, source=source or document(), validation_enabled=enabled, extra_query=query
    )
    assert schema is not None
    return schema


def saved(live: LiveControlPlane) -> list[tuple[str, str, str]]:
    with live.client() as http:
        rows = http.get(f"{live.zone}/api_gateway/operations", params={"per_page": 5000}).json()["result"]
    return [(row["method"], row["host"], row["endpoint"]) for row in rows]


def schema_count(live: LiveControlPlane) -> int:
    with live.client() as http:
        return int(http.get(f"{live.zone}/schema_validation/schemas").json()["result_info"]["total_count"])


def declared_hosts(live: LiveControlPlane) -> set[str]:
    with live.plane.database.read() as session:
        return {host for _, host, _ in schemas_in_force(session, live.zone_id)}


@pytest.mark.parametrize("source", [document(), YAML, "\ufeff" + YAML])
def test_a_document_is_stored_as_it_was_written(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane, source: str) -> None:
    created = upload(sdk, control_plane, source)
    assert str(UUID(created.schema_id)) == created.schema_id
    assert (created.name, created.kind, created.validation_enabled) == ("temps", "openapi_v3", True)
    assert created.source == source.removeprefix("\ufeff")
    got = sdk.schema_validation.schemas.get(created.schema_id, zone_id=control_plane.zone_id)
    assert got.to_dict() == created.to_dict()
    without = sdk.schema_validation.schemas.get(created.schema_id, zone_id=control_plane.zone_id, omit_source=True)
    assert not without.source
    assert saved(control_plane) == [], "uploading over REST saves no operations"


def test_schemas_are_listed_newest_first_filtered_and_paged(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    for number, enabled in enumerate((True, False, True)):
        upload(sdk, control_plane, enabled=enabled, name=f"number {number}")
    schemas = sdk.schema_validation.schemas
    assert [row.name for row in schemas.list(zone_id=zone_id, per_page=2)] == ["number 2", "number 1", "number 0"]
    assert [row.name for row in schemas.list(zone_id=zone_id, validation_enabled=False)] == ["number 1"]
    assert [row.source for row in schemas.list(zone_id=zone_id, omit_source=True, validation_enabled=True)] == [None, None]
    assert schemas.list(zone_id=zone_id, page=3, per_page=2).result == []


def test_a_schema_is_switched_off_and_on_and_deleted(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    schema_id = upload(sdk, control_plane, save_operations=True).schema_id
    schemas = sdk.schema_validation.schemas
    assert schemas.edit(schema_id, zone_id=zone_id, validation_enabled=False).validation_enabled is False
    assert schemas.edit(schema_id, zone_id=zone_id).validation_enabled is False
    assert schemas.edit(schema_id, zone_id=zone_id, validation_enabled=True).validation_enabled is True
    schemas.delete(schema_id, zone_id=zone_id)
    assert len(saved(control_plane)) == 3, "operations stay"
    for call in (schemas.get, schemas.delete):
        with pytest.raises(cloudflare.NotFoundError):
            call(schema_id, zone_id=zone_id)
    with pytest.raises(cloudflare.NotFoundError):
        schemas.edit(schema_id, zone_id=zone_id, validation_enabled=True)


def test_with_save_operations_the_documents_operations_are_saved_with_it(
    sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane
) -> None:
    schema = upload(sdk, control_plane, save_operations=True)
    assert saved(control_plane) == [("GET", HOST, "/temps"), ("POST", HOST, "/temps"), ("GET", HOST, "/temps/{var1}")]
    with control_plane.plane.database.read() as session:
        operations = read_enforced(session)["zones"][0]["operations"]
    assert {operation["schema"]["schema_id"] for operation in operations} == {schema.schema_id}
    assert {operation["schema"]["path"] for operation in operations} == {"/temps", "/temps/{reading}"}


def test_the_newest_enabled_schema_that_declares_an_operation_is_in_force(
    sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane
) -> None:
    zone_id = control_plane.zone_id
    old = upload(sdk, control_plane, name="old", save_operations=True)
    paths = {"/temps": {"get": TEMPERATURES["paths"]["/temps"]["get"]}}
    new = upload(sdk, control_plane, document(paths=paths), name="new")
    operations = {(row.method, row.endpoint): row.operation_id for row in sdk.api_gateway.operations.list(zone_id=zone_id)}

    def active(method: str, endpoint: str) -> str | None:
        with control_plane.client() as http:
            url = f"{control_plane.zone}/api_gateway/operations/{operations[method, endpoint]}"
            info = http.get(url, params={"feature": "schema_info"}).json()["result"]["features"]["schema_info"]
        if info["active_schema"] is None:
            return None
        assert set(info["active_schema"]) == {"id", "created_at", "is_learned", "name"}
        return str(info["active_schema"]["name"])

    assert (active("GET", "/temps"), active("POST", "/temps")) == ("new", "old")
    sdk.schema_validation.schemas.edit(new.schema_id, zone_id=zone_id, validation_enabled=False)
    assert (active("GET", "/temps"), active("POST", "/temps")) == ("old", "old")
    sdk.schema_validation.schemas.delete(old.schema_id, zone_id=zone_id)
    assert (active("GET", "/temps"), active("POST", "/temps")) == (None, None)


def test_with_schemas_shows_what_the_document_says_of_the_operation(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    upload(sdk, control_plane, save_operations=True)
    upload(sdk, control_plane, YAML, save_operations=True)
    by_key = {
        (row.method, row.endpoint): sdk.api_gateway.operations.get(row.operation_id, zone_id=zone_id, with_schemas=True).schemas
        for row in sdk.api_gateway.operations.list(zone_id=zone_id)
    }
    get, post, put = (by_key[key] for key in (("GET", "/temps"), ("POST", "/temps"), ("PUT", "/v1/temps")))
    assert get
    assert get.uploaded
    assert get.uploaded.parameters
    assert [(p["name"], p["in"]) for p in get.uploaded.parameters] == [("X-Trace", "header"), ("unit", "query")]
    assert get.uploaded.parameters[1]["schema"] == {"type": "string", "enum": ["C", "F"]}, "the operation's own wins"
    assert get.uploaded.request_body is None
    assert get.learned is None
    assert post
    assert post.uploaded
    assert post.uploaded.request_body
    assert post.uploaded.request_body["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Reading"}}}
    assert set(post.uploaded.to_dict()["components"]["schemas"]) == {"Reading", "Celsius"}
    assert put
    assert put.uploaded
    assert put.uploaded.request_body == {"content": {"application/json": {"schema": {"type": "object"}}}}


def test_with_schemas_is_empty_where_no_schema_is_in_force(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    saved_operation = sdk.api_gateway.operations.create(zone_id=control_plane.zone_id, method="GET", host=HOST, endpoint="/temps")
    got = sdk.api_gateway.operations.get(saved_operation.operation_id, zone_id=control_plane.zone_id, with_schemas=True)
    assert got.schemas is not None
    assert (got.schemas.uploaded, got.schemas.learned) == (None, None)


@pytest.mark.parametrize(
    ("servers", "query", "wanted"),
    [
        ((), {}, {HOST}),
        (("/v1",), {}, {HOST}),
        (("/v1",), {"host": "WWW.example.com"}, {"www.example.com"}),
        (("/v1",), {"host": "{tenant}.example.com"}, {"{hostVar1}.example.com"}),
        (("https://api.example.com:8443/v1",), {}, {HOST}),
        (("https://{tenant}.example.com/v1",), {}, {"{hostVar1}.example.com"}),
        (("https://a.example.com", "https://b.example.com"), {}, {"a.example.com", "b.example.com"}),
        (("https://a.example.com", "https://elsewhere.test"), {"host": HOST}, {"a.example.com"}),
        (("https://elsewhere.test",), {"host": HOST}, {HOST}),
        (("https://elsewhere.test",), {}, {"elsewhere.test"}),
    ],
)
def test_operations_get_the_hosts_of_the_servers_or_the_one_that_is_meant(
    sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane, servers: tuple[str, ...], query: dict[str, str], wanted: set[str]
) -> None:
    upload(sdk, control_plane, with_servers(*servers), **query)
    assert declared_hosts(control_plane) == wanted


def test_without_a_host_by_name_a_relative_document_is_refused_with_advice(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        host = {"name": "www.example.com", "upstreams": ["http://127.0.0.1:9"]}
        assert http.post(f"/hauberk/v1/zones/{control_plane.zone_id}/hosts", json=host).status_code == 200
        body = {"kind": "openapi_v3", "name": "x", "source": with_servers("/v1"), "validation_enabled": True}
        answer = http.post(f"{control_plane.zone}/schema_validation/schemas", json=body)
        assert answer.status_code == 400
        assert [problem["code"] for problem in answer.json()["upload_details"]["errors"]] == [211]
        message = answer.json()["errors"][0]["message"]
        assert "host=NAME" in message
        assert "api.example.com, www.example.com" in message
        assert schema_count(control_plane) == 0
        assert http.post(f"{control_plane.zone}/schema_validation/schemas", json=body, params={"host": HOST}).status_code == 200


@pytest.mark.parametrize("host", ["elsewhere.test", "not a host", "*.example.com", "api.example.com:80", "x" * 300])
def test_a_host_to_join_must_be_a_name_in_the_zone(unchanged: LiveControlPlane, host: str) -> None:
    with unchanged.client() as http:
        body = {"kind": "openapi_v3", "name": "x", "source": with_servers("/v1"), "validation_enabled": True}
        answer = http.post(f"{unchanged.zone}/schema_validation/schemas", json=body, params={"host": host})
    assert answer.status_code == 400
    assert "host" in answer.json()["errors"][0]["message"]
    assert schema_count(unchanged) == 0


@pytest.mark.parametrize(
    ("source", "code", "part"), [(with_xml(), 28, "application/xml"), (with_servers("https://elsewhere.test"), 213, "elsewhere.test")]
)
def test_warnings_are_told_as_messages(control_plane: LiveControlPlane, source: str, code: int, part: str) -> None:
    with control_plane.client() as http:
        body = {"kind": "openapi_v3", "name": "x", "source": source, "validation_enabled": True}
        answer = http.post(f"{control_plane.zone}/schema_validation/schemas", json=body)
    assert answer.status_code == 200
    message = next(message for message in answer.json()["messages"] if message["code"] == code)
    assert part in message["message"]
    assert message["locations"]


def test_no_code_of_a_document_means_two_things() -> None:
    core = (Path(__file__).parents[2] / "crates/openapi/src/problem.rs").read_text()
    codes = [int(number) for number in re.findall(r"= (?:Warning|Error|Critical) ([0-9]+),", core)]
    assert len(codes) > 20
    assert len(set(codes)) == len(codes)
    assert not {schema.NO_HOST, schema.UNUSABLE_HOST, schema.OUTSIDE_ZONE} & set(codes)


@pytest.fixture(scope="module")
def unchanged(first_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveControlPlane]:
    """One control plane for all that is refused: each test sees that nothing was changed."""
    folder = Path(shutil.copytree(first_state, tmp_path_factory.mktemp("unchanged") / "state"))
    with serve_control_plane(folder) as live:
        yield live


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_document_is_refused_with_every_problem_and_nothing_is_stored(unchanged: LiveControlPlane, kind: str) -> None:
    source, severity, code = BAD[kind]
    with unchanged.client() as http:
        body = {"kind": "openapi_v3", "name": "x", "source": source, "validation_enabled": True}
        answer = http.post(f"{unchanged.zone}/schema_validation/schemas", json=body, params={"save_operations": True})
        assert http.get(f"{unchanged.zone}/schema_validation/settings").status_code == 200
    assert answer.status_code == 400
    error, details = answer.json()["errors"][0], answer.json()["upload_details"]
    assert error["code"] == 1301
    assert error["source"] == {"pointer": "/source"}
    found = details["critical" if severity == "critical" else "errors"]
    assert code in [problem["code"] for problem in found]
    assert all(problem["message"] and isinstance(problem["locations"], list) for problem in found)
    assert (schema_count(unchanged), saved(unchanged)) == (0, [])


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "swagger"}, "/kind"),
    ({"kind": None}, "/kind"),
    ({"name": ""}, "/name"),
    ({"name": "n" * 256}, "/name"),
    ({"name": "a\0b"}, "/name"),
    ({"name": 7}, "/name"),
    ({"source": ""}, "/source"),
    ({"source": {"openapi": "3.0.3"}}, "/source"),
    ({"validation_enabled": "true"}, "/validation_enabled"),
    ({"validation_enabled": None}, "/validation_enabled"),
    ({"validation_enable": True}, "/validation_enable"),
]


@pytest.mark.parametrize(("change", "pointer"), BAD_BODIES)
def test_bad_members_are_refused_by_name(unchanged: LiveControlPlane, change: dict[str, Any], pointer: str) -> None:
    with unchanged.client() as http:
        body = {"kind": "openapi_v3", "name": "x", "source": document(), "validation_enabled": True} | change
        answer = http.post(f"{unchanged.zone}/schema_validation/schemas", json=body)
    assert answer.status_code == 400
    assert pointer in [error["source"]["pointer"] for error in answer.json()["errors"]]
    assert schema_count(unchanged) == 0


@pytest.mark.parametrize(
    "content", [b'{"kind":"openapi_v3","name":"\\ud800","source":"\\udfff","validation_enabled":true}', b"\xff", b"{", b""]
)
def test_bodies_that_are_no_json_text_are_refused(unchanged: LiveControlPlane, content: bytes) -> None:
    with unchanged.client() as http:
        answer = http.post(f"{unchanged.zone}/schema_validation/schemas", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert schema_count(unchanged) == 0


def settings(live: LiveControlPlane) -> tuple[str, str | None]:
    with live.client() as http:
        result = http.get(f"{live.zone}/schema_validation/settings").json()["result"]
    return result["validation_default_mitigation_action"], result["validation_override_mitigation_action"]


@pytest.mark.parametrize(
    ("method", "body", "wanted"),
    [
        ("PUT", {"validation_default_mitigation_action": "log"}, ("log", None)),
        ("PUT", {"validation_default_mitigation_action": "log", "validation_override_mitigation_action": None}, ("log", None)),
        ("PUT", {"validation_default_mitigation_action": "none", "validation_override_mitigation_action": "none"}, ("none", "none")),
        ("PATCH", {}, ("block", "none")),
        ("PATCH", {"validation_default_mitigation_action": "log"}, ("log", "none")),
        ("PATCH", {"validation_override_mitigation_action": None}, ("block", None)),
        ("PATCH", {"validation_override_mitigation_action": "none"}, ("block", "none")),
    ],
)
def test_put_replaces_and_patch_changes_the_zones_actions(
    control_plane: LiveControlPlane, method: str, body: dict[str, Any], wanted: tuple[str, str | None]
) -> None:
    assert settings(control_plane) == ("none", None), "at first"
    url = f"{control_plane.zone}/schema_validation/settings"
    with control_plane.client() as http:
        before = {"validation_default_mitigation_action": "block", "validation_override_mitigation_action": "none"}
        assert http.put(url, json=before).json()["result"] == before
        assert http.request(method, url, json=body).status_code == 200
    assert settings(control_plane) == wanted


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PUT", {}),
        ("PUT", {"validation_override_mitigation_action": "none"}),
        ("PUT", {"validation_default_mitigation_action": None}),
        ("PUT", {"validation_default_mitigation_action": "deny"}),
        ("PUT", {"validation_default_mitigation_action": "log", "validation_override_mitigation_action": "block"}),
        ("PUT", {"validation_default_mitigation_action": "log", "override": "none"}),
        ("PATCH", {"validation_default_mitigation_action": 1}),
        ("PATCH", {"validation_override_mitigation_action": "disable_override"}),
        ("PATCH", []),
    ],
)
def test_bad_settings_are_refused_and_change_nothing(unchanged: LiveControlPlane, method: str, body: Any) -> None:
    with unchanged.client() as http:
        answer = http.request(method, f"{unchanged.zone}/schema_validation/settings", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert settings(unchanged) == ("none", None)


def test_the_sdk_reads_and_writes_the_zones_actions(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    family = sdk.schema_validation.settings
    updated = family.update(zone_id=zone_id, validation_default_mitigation_action="block", validation_override_mitigation_action="none")
    assert updated
    assert updated.validation_override_mitigation_action == "none"
    edited = family.edit(zone_id=zone_id, validation_override_mitigation_action=None)
    assert edited
    assert (edited.validation_default_mitigation_action, edited.validation_override_mitigation_action) == ("block", None)
    got = family.get(zone_id=zone_id)
    assert got
    assert got.to_dict() == edited.to_dict()


@pytest.fixture
def ids(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> list[str]:
    body: Any = [{"method": method, "host": HOST, "endpoint": "/temps"} for method in ("GET", "POST", "PUT")]
    return [row.operation_id for row in sdk.api_gateway.operations.bulk_create(zone_id=control_plane.zone_id, body=body).result]


def test_an_operations_own_action_is_set_read_and_taken_away(
    sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane, ids: list[str]
) -> None:
    zone_id = control_plane.zone_id
    family = sdk.schema_validation.settings.operations
    with pytest.raises(cloudflare.NotFoundError, match="the zone's default applies"):
        family.get(ids[0], zone_id=zone_id)
    revision = control_plane.plane.revision()
    updated = family.update(ids[0], zone_id=zone_id, mitigation_action="block")
    assert updated
    assert (updated.operation_id, updated.mitigation_action) == (ids[0], "block")
    assert control_plane.plane.revision() > revision
    got = family.get(ids[0], zone_id=zone_id)
    assert got
    assert got.mitigation_action == "block"
    assert [row.operation_id for row in family.list(zone_id=zone_id)] == [ids[0]]
    deleted = family.delete(ids[0], zone_id=zone_id)
    assert deleted
    assert deleted.operation_id == ids[0]
    family.update(ids[1], zone_id=zone_id, mitigation_action="log")
    family.update(ids[1], zone_id=zone_id, mitigation_action=None)
    assert list(family.list(zone_id=zone_id)) == []


def test_several_actions_are_set_at_once_or_none(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane, ids: list[str]) -> None:
    zone_id = control_plane.zone_id
    family = sdk.schema_validation.settings.operations
    answer = family.bulk_edit(zone_id=zone_id, body={ids[0]: {"mitigation_action": "block"}, ids[1]: {"mitigation_action": "log"}})
    assert answer
    assert {id_: item.mitigation_action for id_, item in answer.items()} == {ids[0]: "block", ids[1]: "log"}
    cleared = family.bulk_edit(zone_id=zone_id, body={ids[0]: {"mitigation_action": None}, ids[2]: {"mitigation_action": "none"}})
    assert cleared
    assert cleared[ids[0]].mitigation_action is None
    with pytest.raises(cloudflare.NotFoundError, match=UNKNOWN):
        family.bulk_edit(zone_id=zone_id, body={ids[1]: {"mitigation_action": "block"}, UNKNOWN: {"mitigation_action": "block"}})
    assert {row.operation_id: row.mitigation_action for row in family.list(zone_id=zone_id, per_page=1)} == {ids[1]: "log", ids[2]: "none"}
    assert family.list(zone_id=zone_id, page=9).result == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "{id}", {}),
        ("PUT", "{id}", {"mitigation_action": "deny"}),
        ("PUT", "{id}", {"mitigation_action": ["block"]}),
        ("PUT", "{id}", {"mitigation_action": "block", "other": 1}),
        ("PATCH", "", {"{id}": {}}),
        ("PATCH", "", {"{id}": None}),
        ("PATCH", "", {"{id}": {"mitigation_action": "deny"}}),
        ("PATCH", "", []),
    ],
)
def test_bad_actions_are_refused_and_change_nothing(
    control_plane: LiveControlPlane, ids: list[str], method: str, path: str, body: Any
) -> None:
    url = f"{control_plane.zone}/schema_validation/settings/operations"
    body = {name.replace("{id}", ids[0]): value for name, value in body.items()} if isinstance(body, dict) else body
    with control_plane.client() as http:
        answer = http.request(method, f"{url}/{path.replace('{id}', ids[0])}".rstrip("/"), json=body)
        assert answer.status_code == 400
        assert http.get(url).json()["result"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "schemas"),
        ("GET", f"schemas/{UNKNOWN}"),
        ("GET", "schemas/a%00b"),
        ("DELETE", f"schemas/{UNKNOWN}"),
        ("GET", "settings"),
        ("GET", "settings/operations"),
        ("GET", f"settings/operations/{UNKNOWN}"),
        ("DELETE", f"settings/operations/{UNKNOWN}"),
    ],
)
def test_unknown_zones_and_things_are_not_found(unchanged: LiveControlPlane, method: str, path: str) -> None:
    with unchanged.client() as http:
        urls = [f"{unchanged.api}/zones/{'0' * 32}/schema_validation/{path}"]
        if path.count("/"):
            urls += [f"{unchanged.zone}/schema_validation/{path}"] if path != "settings/operations" else []
        for url in urls:
            answer = http.request(method, url)
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003)
