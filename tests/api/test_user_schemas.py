"""Schema validation, legacy family: the same store as the current one, in older shapes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudflare
import pytest

from conftest import LiveControlPlane, serve_control_plane
from openapi_documents import BAD, TEMPERATURES, YAML, document, with_servers, with_xml

# The SDK warns of each call of this family, which is what the family is there for.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HOST = "api.example.com"
UNKNOWN = "00000000-0000-5000-8000-000000000000"


def upload(sdk: cloudflare.Cloudflare, live: LiveControlPlane, source: str | None = None, **members: Any) -> Any:
    file = ("temps.json", (source or document()).encode())
    created = sdk.api_gateway.user_schemas.create(zone_id=live.zone_id, file=file, kind="openapi_v3", **members)
    assert created is not None
    return created


def schema_count(live: LiveControlPlane) -> int:
    with live.client() as http:
        return int(http.get(f"{live.zone}/api_gateway/user_schemas").json()["result_info"]["total_count"])


def test_an_uploaded_file_is_seen_by_both_families(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    created = upload(sdk, control_plane, name="temps", validation_enabled="true")
    assert (created.schema_.name, created.schema_.kind, created.schema_.validation_enabled) == ("temps", "openapi_v3", True)
    assert created.upload_details is None
    got = sdk.api_gateway.user_schemas.get(created.schema_.schema_id, zone_id=zone_id)
    assert got.to_dict() == created.schema_.to_dict()
    assert got.source == document()
    current = sdk.schema_validation.schemas.get(created.schema_.schema_id, zone_id=zone_id)
    assert current
    assert current.source == document()
    assert list(sdk.api_gateway.operations.list(zone_id=zone_id)) == [], "uploading over REST saves no operations"


def test_name_and_switch_have_defaults(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    schema = upload(sdk, control_plane, YAML).schema_
    assert (schema.name, schema.validation_enabled) == ("Temperatures, as YAML", True)
    assert upload(sdk, control_plane, validation_enabled="false").schema_.validation_enabled is False


def test_warnings_are_told_as_upload_details(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    created = upload(sdk, control_plane, with_xml())
    assert created.upload_details
    assert created.upload_details.warnings
    warning = created.upload_details.warnings[0]
    assert (warning.code, bool(warning.message), bool(warning.locations)) == (28, True, True)


def test_schemas_are_listed_filtered_and_paged(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    for number, enabled in enumerate(("true", "false", "true")):
        upload(sdk, control_plane, name=f"number {number}", validation_enabled=enabled)
    family = sdk.api_gateway.user_schemas
    assert [row.name for row in family.list(zone_id=zone_id, per_page=2)] == ["number 2", "number 1", "number 0"]
    assert [(row.name, row.source) for row in family.list(zone_id=zone_id, omit_source=True, validation_enabled=False)] == [
        ("number 1", None)
    ]
    with control_plane.client() as http:
        raw = http.get(f"{control_plane.zone}/api_gateway/user_schemas", params={"omit_source": True}).json()["result"]
    assert all("source" not in row for row in raw)
    assert family.list(zone_id=zone_id, page=3, per_page=2).result == []


def test_this_family_switches_on_only_and_deletes(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    family = sdk.api_gateway.user_schemas
    schema_id = upload(sdk, control_plane, validation_enabled="false").schema_.schema_id
    with pytest.raises(cloudflare.BadRequestError):
        family.edit(schema_id, zone_id=zone_id, validation_enabled=False)  # type: ignore[arg-type]
    assert family.edit(schema_id, zone_id=zone_id).validation_enabled is False
    assert family.edit(schema_id, zone_id=zone_id, validation_enabled=True).validation_enabled is True
    deleted = family.delete(schema_id, zone_id=zone_id)
    assert (deleted.success, deleted.errors, deleted.messages) == (True, [], [])
    with pytest.raises(cloudflare.NotFoundError):
        family.get(schema_id, zone_id=zone_id)


def test_hosts_are_listed_by_schema(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    upload(sdk, control_plane, with_servers("https://b.example.com", "https://a.example.com"), name="two")
    upload(sdk, control_plane, name="one")
    rows = list(sdk.api_gateway.user_schemas.hosts.list(zone_id=control_plane.zone_id, per_page=1))
    assert [(row.name, row.hosts) for row in rows] == [("one", [HOST]), ("two", ["a.example.com", "b.example.com"])]
    assert all(row.schema_id and row.created_at for row in rows)
    assert sdk.api_gateway.user_schemas.hosts.list(zone_id=control_plane.zone_id, page=3).result == []


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, [0, 1, 2]),
        ({"operation_status": "new"}, [1, 2]),
        ({"operation_status": "existing"}, [0]),
        ({"method": ["GET"]}, [0, 2]),
        ({"method": ["get"], "endpoint": "/temps/"}, [2]),
        ({"host": ["API.example.com"]}, [0, 1, 2]),
        ({"host": ["www.example.com"]}, []),
        ({"endpoint": "TEMPS"}, [0, 1, 2]),
        ({"per_page": 2}, [0, 1]),
        ({"per_page": 2, "page": 2}, [2]),
        ({"per_page": 2, "page": 3}, []),
    ],
)
def test_a_schemas_operations_are_new_or_existing(
    sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane, query: dict[str, Any], wanted: list[int]
) -> None:
    zone_id = control_plane.zone_id
    schema_id = upload(sdk, control_plane).schema_.schema_id
    saved = sdk.api_gateway.operations.create(zone_id=zone_id, method="GET", host=HOST, endpoint="/temps")
    all_keys = [("GET", "/temps"), ("POST", "/temps"), ("GET", "/temps/{var1}")]
    page = sdk.api_gateway.user_schemas.operations.list(schema_id, zone_id=zone_id, feature=["schema_info"], **query)
    assert [(row.method, row.endpoint) for row in page.result] == [all_keys[index] for index in wanted]
    for row in page.result:
        exists = (row.method, row.endpoint) == all_keys[0]
        assert getattr(row, "operation_id", None) == (saved.operation_id if exists else None)
        assert hasattr(row, "features") is exists or not exists


def test_the_zones_actions_are_read_from_the_outermost_object(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    family = sdk.api_gateway.settings.schema_validation
    updated = family.update(zone_id=zone_id, validation_default_mitigation_action="block", validation_override_mitigation_action="none")
    assert (updated.validation_default_mitigation_action, updated.validation_override_mitigation_action) == ("block", "none")
    unchanged = family.edit(zone_id=zone_id, validation_default_mitigation_action=None, validation_override_mitigation_action=None)
    assert (unchanged.validation_default_mitigation_action, unchanged.validation_override_mitigation_action) == ("block", "none")
    cleared = family.edit(zone_id=zone_id, validation_override_mitigation_action="disable_override")
    assert (cleared.validation_default_mitigation_action, cleared.validation_override_mitigation_action) == ("block", None)
    family.edit(zone_id=zone_id, validation_override_mitigation_action="none")
    for clear in (None, "disable_override"):
        put = family.update(zone_id=zone_id, validation_default_mitigation_action="log", validation_override_mitigation_action=clear)  # type: ignore[arg-type]
        assert put.validation_override_mitigation_action is None
        assert family.get(zone_id=zone_id).to_dict() == put.to_dict()
    with control_plane.client() as http:
        raw = http.get(f"{control_plane.zone}/api_gateway/settings/schema_validation").json()
        current = http.get(f"{control_plane.zone}/schema_validation/settings").json()
    assert raw["result"] == current["result"] == {name: raw[name] for name in current["result"]}
    assert raw["success"] is True


def test_an_operations_own_action_is_read_from_the_outermost_object(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    id_ = sdk.api_gateway.operations.create(zone_id=zone_id, method="GET", host=HOST, endpoint="/temps").operation_id
    family = sdk.api_gateway.operations.schema_validation
    assert (family.get(id_, zone_id=zone_id).mitigation_action, family.get(id_, zone_id=zone_id).operation_id) == (None, id_)
    assert family.update(id_, zone_id=zone_id, mitigation_action="log").mitigation_action == "log"
    current = sdk.schema_validation.settings.operations.get(id_, zone_id=zone_id)
    assert current
    assert current.mitigation_action == "log"
    edited = family.edit(zone_id=zone_id, settings_multiple_request={id_: {"mitigation_action": "block"}})
    assert edited
    assert edited[id_].mitigation_action == "block"
    assert family.update(id_, zone_id=zone_id, mitigation_action=None).mitigation_action is None
    with pytest.raises(cloudflare.NotFoundError):
        family.edit(zone_id=zone_id, settings_multiple_request={id_: {"mitigation_action": "log"}, UNKNOWN: {"mitigation_action": "log"}})
    assert family.get(id_, zone_id=zone_id).mitigation_action is None


@pytest.fixture(scope="module")
def unchanged(first_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveControlPlane]:
    """One control plane for all that is refused: each test sees that nothing was changed."""
    folder = Path(shutil.copytree(first_state, tmp_path_factory.mktemp("unchanged") / "state"))
    with serve_control_plane(folder) as live:
        yield live


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_with_upload_details(unchanged: LiveControlPlane, kind: str) -> None:
    source, severity, code = BAD[kind]
    with unchanged.client() as http:
        answer = http.post(
            f"{unchanged.zone}/api_gateway/user_schemas", files={"file": ("x.json", source.encode())}, data={"kind": "openapi_v3"}
        )
    assert answer.status_code == 400
    details = answer.json()["upload_details"]
    assert set(details) == {"critical", "errors", "warnings"}
    assert code in [problem["code"] for problem in details["critical" if severity == "critical" else "errors"]]
    assert schema_count(unchanged) == 0


def test_a_file_that_is_not_utf_8_is_refused(unchanged: LiveControlPlane) -> None:
    with unchanged.client() as http:
        for content in (b"\xff\xfe\x00", document().encode("utf-16"), "openapi: 3.0.3 # Zürich".encode("latin-1")):
            files = {"file": ("x.json", content)}
            answer = http.post(f"{unchanged.zone}/api_gateway/user_schemas", files=files, data={"kind": "openapi_v3"})
            assert answer.status_code == 400
            assert answer.json()["upload_details"]["critical"][0]["code"] == 101
            assert "UTF-8" in answer.json()["errors"][0]["message"]


FILE = ("x.json", document().encode())
BAD_FORMS: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, {"kind": "openapi_v3"}, "file"),
    ({"file": FILE}, {}, "kind"),
    ({"file": FILE}, {"kind": "swagger"}, "kind"),
    ({"file": FILE}, {"kind": "openapi_v3", "validation_enabled": "yes"}, "validation_enabled"),
    ({"file": FILE}, {"kind": "openapi_v3", "name": "n" * 256}, "name"),
    ({"file": FILE}, {"kind": "openapi_v3", "name": "a\0b"}, "name"),
    ({}, {"kind": "openapi_v3", "file": "text"}, "file"),
]


@pytest.mark.parametrize(("files", "data", "part"), BAD_FORMS)
def test_bad_forms_are_refused_by_name(unchanged: LiveControlPlane, files: dict[str, Any], data: dict[str, str], part: str) -> None:
    with unchanged.client() as http:
        answer = http.post(f"{unchanged.zone}/api_gateway/user_schemas", files=files or {"other": FILE}, data=data)
    assert answer.status_code == 400
    assert part in answer.json()["errors"][0]["message"]
    assert schema_count(unchanged) == 0


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b'{"kind": "openapi_v3"}'),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense"),
        ("text/plain", b"openapi: 3.0.3"),
    ],
)
def test_what_is_no_form_is_refused(unchanged: LiveControlPlane, content_type: str, content: bytes) -> None:
    with unchanged.client() as http:
        answer = http.post(f"{unchanged.zone}/api_gateway/user_schemas", content=content, headers={"Content-Type": content_type})
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert schema_count(unchanged) == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "settings/schema_validation", {}),
        ("PUT", "settings/schema_validation", {"validation_default_mitigation_action": None}),
        (
            "PUT",
            "settings/schema_validation",
            {"validation_default_mitigation_action": "log", "validation_override_mitigation_action": "block"},
        ),
        ("PATCH", "settings/schema_validation", {"validation_default_mitigation_action": "deny"}),
        ("PATCH", "settings/schema_validation", {"validation_override_mitigation_action": True}),
        ("PATCH", "operations/schema_validation", []),
        ("PATCH", "operations/schema_validation", {UNKNOWN: {"mitigation_action": "deny"}}),
        ("PUT", f"operations/{UNKNOWN}/schema_validation", {"mitigation_action": 1}),
    ],
)
def test_bad_bodies_are_refused_and_change_nothing(unchanged: LiveControlPlane, method: str, path: str, body: Any) -> None:
    with unchanged.client() as http:
        assert http.request(method, f"{unchanged.zone}/api_gateway/{path}", json=body).status_code == 400
        raw = http.get(f"{unchanged.zone}/api_gateway/settings/schema_validation").json()
    assert (raw["validation_default_mitigation_action"], raw["validation_override_mitigation_action"]) == ("none", None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"user_schemas/{UNKNOWN}"),
        ("GET", f"user_schemas/{UNKNOWN}/operations"),
        ("DELETE", f"user_schemas/{UNKNOWN}"),
        ("GET", f"operations/{UNKNOWN}/schema_validation"),
    ],
)
def test_unknown_things_are_not_found(unchanged: LiveControlPlane, method: str, path: str) -> None:
    with unchanged.client() as http:
        for zone in (unchanged.zone, f"{unchanged.api}/zones/{'0' * 32}"):
            answer = http.request(method, f"{zone}/api_gateway/{path}")
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003)


def test_saving_with_the_upload_saves_each_operation_once(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        for _ in range(2):
            answer = http.post(
                f"{control_plane.zone}/api_gateway/user_schemas",
                params={"save_operations": "true"},
                files={"file": FILE},
                data={"kind": "openapi_v3"},
            )
            assert answer.status_code == 200
        rows = http.get(f"{control_plane.zone}/api_gateway/operations").json()["result"]
    assert len(rows) == sum(len(set(item) & {"get", "post"}) for item in TEMPERATURES["paths"].values())
