"""OpenAPI documents and operations by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hauberk.storage.models import now
from hauberk.storage.operation_metrics import Counted, hour_of, store_metrics

if TYPE_CHECKING:
    from command_line import Ran, Run

pytest_plugins = ("command_line",)


EXAMPLE = Path(__file__).parents[2] / "examples" / "temperature" / "openapi.yaml"
BROKEN = """
openapi: 3.0.3
info: {title: Broken, version: "1"}
paths:
  /things/{id}:
    get:
      responses: {"200": {$ref: "#/components/responses/missing"}}
      parameters: [{name: id, in: path, required: true, schema: {$ref: "#/components/schemas/nowhere"}}]
"""


def test_a_good_document_is_checked_without_a_server(run: Run) -> None:
    ran = run("schema", "check", EXAMPLE)
    assert ran.out == ""
    assert "good, OpenAPI 3.1.0, 2 operations" in ran.err
    assert [operation["endpoint"] for operation in run("schema", "check", EXAMPLE, "--json").json["operations"]] == ["/temps", "/temps"]


def test_problems_are_listed_with_their_places(run: Run) -> None:
    Path("broken.yaml").write_text(BROKEN)
    ran = run("schema", "check", "broken.yaml", ok=False)
    assert ran.status == 1
    assert '.paths["/things/{id}"].get' in ran.out
    assert "would be refused" in ran.err
    checked = run("schema", "check", "broken.yaml", "--json", ok=False)
    assert checked.json["ok"] is False


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2", b"just text", b"openapi: 2.0.0"])
def test_what_is_no_document_is_refused(run: Run, content: bytes) -> None:
    Path("bad.yaml").write_bytes(content)
    assert run("schema", "check", "bad.yaml", ok=False).status == 1


def test_an_upload_saves_the_operations(hauberk: Run) -> None:
    ran = hauberk("schema", "upload", EXAMPLE, "--host", "api.example.com", "--name", "temps", "--json")
    assert ran.json["validation_enabled"] is True
    assert "2 operations" in ran.err
    listed = hauberk("operation", "list", "--json").json
    assert {(o["method"], o["host"], o["endpoint"]) for o in listed} == {
        ("GET", "api.example.com", "/temps"),
        ("POST", "api.example.com", "/temps"),
    }
    assert "POST    api.example.com  /temps    -       temps" in hauberk("operation", "list").out


def test_an_upload_can_leave_the_operations_unsaved(hauberk: Run) -> None:
    hauberk("schema", "upload", EXAMPLE, "--host", "api.example.com", "--no-operations")
    assert hauberk("operation", "list", "--json").json == []


def test_an_upload_can_set_its_operations_action(hauberk: Run) -> None:
    hauberk("operation", "save", "GET", "api.example.com", "/other")
    hauberk("schema", "upload", EXAMPLE, "--host", "api.example.com", "--action", "block")
    actions = {o["endpoint"]: o["features"]["schema_info"]["mitigation_action"] for o in hauberk("operation", "list", "--json").json}
    assert actions == {"/temps": "block", "/other": None}


def test_a_refused_upload_lists_the_problems_and_stores_nothing(hauberk: Run) -> None:
    Path("broken.yaml").write_text(BROKEN)
    ran = hauberk("schema", "upload", "broken.yaml", "--host", "api.example.com", ok=False)
    assert '.paths["/things/{id}"].get' in ran.err
    assert "refused, with" in ran.err
    assert hauberk("schema", "list", "--json").json == []


def test_a_schema_is_disabled_enabled_and_deleted_by_name(hauberk: Run) -> None:
    hauberk("schema", "upload", EXAMPLE, "--host", "api.example.com", "--name", "temps")
    assert hauberk("schema", "disable", "temps", "--json").json["validation_enabled"] is False
    assert hauberk("schema", "enable", "temps", "--json").json["validation_enabled"] is True
    hauberk("schema", "delete", "temps")
    assert hauberk("schema", "list", "--json").json == []
    assert "there is no schema 'temps'" in hauberk("schema", "delete", "temps", ok=False).err


def test_default_and_override_action(hauberk: Run) -> None:
    hauberk("schema", "default-action", "block")
    hauberk("schema", "override-action", "none")
    shown = hauberk("schema", "default-action", "--json").json
    assert shown == {"validation_default_mitigation_action": "block", "validation_override_mitigation_action": "none"}
    hauberk("schema", "override-action", "off")
    assert hauberk("schema", "override-action").out.split() == ["default", "action", "block", "override", "-"]


def test_an_operation_is_named_by_its_three_parts(hauberk: Run) -> None:
    saved = hauberk("operation", "save", "get", "api.example.com", "/users/{id}", "--json").json
    assert saved["endpoint"] == "/users/{var1}"
    hauberk("operation", "action", "log", "GET", "api.example.com", "/users/{id}")
    [listed] = hauberk("operation", "list", "--json").json
    assert listed["features"]["schema_info"]["mitigation_action"] == "log"
    hauberk("operation", "action", "default", saved["operation_id"])
    hauberk("operation", "delete", "GET", "api.example.com", "/users/{user}")
    assert hauberk("operation", "list", "--json").json == []
    assert "is not a saved operation" in hauberk("operation", "delete", "GET", "api.example.com", "/users/{id}", ok=False).err


def test_an_operation_of_two_words_is_wrong_usage(hauberk: Run) -> None:
    assert hauberk("operation", "delete", "GET", "/users", ok=False).status == 2


READING = '{"temperature": 21.5, "time": "2026-01-01T00:00:00Z"}'


def check_request(run: Run, request: str, *options: str | Path, body: str | None = None, ok: bool = True) -> Ran:
    if body is not None:
        Path("body.json").write_text(body)
        options = (*options, "--body", "body.json")
    return run("schema", "check", EXAMPLE, "--request", request, *options, ok=ok)


def test_a_request_is_judged_without_a_server(run: Run) -> None:
    ran = check_request(run, "POST /temps", body=READING)
    assert ran.out == ""
    assert "POST /temps: the request conforms" in ran.err
    assert check_request(run, "post /temps", "--json", body=READING).json == {"method": "POST", "endpoint": "/temps", "violations": []}


def test_all_violations_of_a_request_are_listed(run: Run) -> None:
    ran = check_request(run, "POST /temps?debug=1", "-H", "X-Sensor: 7", body='{"temperature": 1000, "unit": "secret"}', ok=False)
    assert ran.status == 1
    assert "query debug: constraint_violation (forbidden_value)" in ran.out
    assert (
        "body $.temperature: constraint_violation (number_too_big), see .components.schemas.Reading.properties.temperature.maximum"
        in ran.out
    )
    assert "body $: constraint_violation (missing_required_property)" in ran.out
    assert "body $.unit: constraint_violation (forbidden_value)" in ran.out
    assert "would be refused, with 4 violations" in ran.err
    assert "secret" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("request_line", "options", "message"),
    [
        ("POST", (), "method and path are expected"),
        ("GET /nowhere", (), "no operation for GET /nowhere"),
        ("GET /temps", ("--header", "nothing"), "name and value are expected"),
        ("GET /temps", ("--header", "bad name: 1"), "a name that is none"),
        ("POST /temps", ("--body", "missing.json"), "there is no such file"),
    ],
)
def test_what_is_no_request_is_refused(run: Run, request_line: str, options: tuple[str, ...], message: str) -> None:
    ran = check_request(run, request_line, *options, ok=False)
    assert ran.status == 1
    assert message in ran.err


def test_a_body_belongs_to_a_request(run: Run) -> None:
    assert "--request" in run("schema", "check", EXAMPLE, "--body", "-", ok=False).err


def test_operations_are_listed_by_what_was_counted_of_them(hauberk: Run, control_plane: Any) -> None:
    ids = {
        path: hauberk("operation", "save", "GET", "api.example.com", path, "--json").json["operation_id"] for path in ("/quiet", "/busy")
    }
    hour = hour_of(now())
    with control_plane.plane.database.write() as session:
        counted = [Counted(ids[path], hour, count, 1, 0, hour, "200:3") for path, count in (("/quiet", 3), ("/busy", 90))]
        store_metrics(session, "0" * 32, counted)
    assert [row["endpoint"] for row in hauberk("operation", "traffic", "--json").json] == ["/busy", "/quiet"]
    assert [row["endpoint"] for row in hauberk("operation", "traffic", "--order", "error_share", "--json").json] == ["/quiet", "/busy"]
    assert [row["endpoint"] for row in hauberk("operation", "traffic", "--ascending", "--limit", "1", "--json").json] == ["/quiet"]
    assert "GET     api.example.com  /busy     90        1" in hauberk("operation", "traffic", "--search", "busy").out
    assert hauberk("operation", "traffic", "--state", "learned", "--json").json == []
