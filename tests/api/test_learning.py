"""Learning over REST: states, versions, what differs, putting one in force and going back; the official SDK where it has a method."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import cloudflare
import pytest

from conftest import LiveControlPlane
from hauberk import _native
from hauberk.storage.learning_tables import LearnedVersion
from hauberk.storage.models import Zone
from learning_fakes import HOST
from learning_setting import ORDERS, USERS, Setting


@pytest.fixture
def setting(control_plane: LiveControlPlane, sdk: cloudflare.Cloudflare) -> Iterator[Setting]:
    with control_plane.client() as http:
        yield Setting(control_plane, sdk, http)


def codes(envelope: Any) -> list[int]:
    return [message["code"] for message in envelope["messages"]]


def test_states(setting: Setting) -> None:
    (users,) = (row for row in setting.get("/operations") if row["endpoint"] == USERS[2])
    assert (users["state"], users["message"]) == ("no_result", "No learning result recorded")
    setting.learn(4)
    setting.learn(0, url="/orders")
    (users,) = setting.get("/operations", state="learning")
    assert (users["message"], users["requests"], users["newest"]) == ("Learning: 4 of about 10 requests", 4, None)
    (orders,) = setting.get("/operations", state=["no_usable_traffic", "learning_failed"])
    assert orders["message"] == "No usable traffic: no successful request was recorded in the last 7 days"
    setting.learn(1996)
    users = setting.get(f"/operations/{setting.users}")
    assert (users["state"], users["message"]) == ("schema_learned", "Schema learned from 2,000 requests")
    assert (users["newest"]["version"], users["in_force"], users["notes"]) == (1, None, [])
    overall = setting.get("")
    wanted = {"no_result": 0, "learning": 0, "schema_learned": 1, "no_usable_traffic": 1, "learning_failed": 0}
    assert (overall["state"], overall["states"], overall["settings"]["min_requests"]) == ("idle", wanted, 10)
    setting.call("GET", f"/operations/{setting.users[:-1]}x", 404)


def test_a_run_is_asked_for(setting: Setting) -> None:
    assert setting.call("POST", "/run", 202)["result"]["state"] == "requested"
    assert setting.get("")["state"] == "requested"
    setting.learning.run(setting.live.zone_id)
    assert setting.get("")["state"] == "idle"


def test_features_and_schemas_of_an_operation(setting: Setting) -> None:
    setting.learn(url="/users/1?page=1")
    operations, zone_id = setting.sdk.api_gateway.operations, setting.live.zone_id
    feature = ["parameter_schemas", "schema_info"]
    told: Any = operations.get(setting.users, zone_id=zone_id, feature=feature).features  # type: ignore[arg-type]
    learned = told.parameter_schemas
    learned = learned if isinstance(learned, dict) else learned.to_dict()
    assert [parameter["name"] for parameter in learned["parameter_schemas"]["parameters"]] == ["var1", "id", "page"]
    assert learned["parameter_schemas"]["responses"] is None
    assert told.schema_info["learned_available"] is True
    assert told.schema_info["active_schema"] is None
    listed: Any = {one.endpoint: one.features for one in operations.list(zone_id=zone_id, feature=["parameter_schemas"])}
    assert not hasattr(listed["/orders"], "parameter_schemas") or listed["/orders"].parameter_schemas is None
    with_schemas = operations.get(setting.users, zone_id=zone_id, with_schemas=True).schemas
    assert with_schemas is not None
    assert with_schemas.uploaded is None
    assert with_schemas.learned is not None
    assert [parameter["name"] for parameter in with_schemas.learned.parameters or []] == ["var1", "id", "page"]


def test_exported_documents_say_what_was_learned(setting: Setting) -> None:
    setting.learn(url="/users/1?page=1")
    plain = setting.sdk.api_gateway.schemas.list(zone_id=setting.live.zone_id).schemas
    learned = setting.sdk.api_gateway.schemas.list(zone_id=setting.live.zone_id, include_schema_kind=["learned"]).schemas
    assert plain is not None
    assert learned is not None
    for (document,), names in ((plain, ["var1"]), (learned, ["var1", "id", "page"])):
        assert document["openapi"] == "3.0.0"  # type: ignore[index]
        operation = document["paths"]["/users/{var1}"]["get"]  # type: ignore[index]
        assert [parameter["name"] for parameter in operation["parameters"]] == names
        assert set(document["paths"]) == {"/users/{var1}", "/orders"}  # type: ignore[index]
        assert _native.check_document(json.dumps(document).encode())["ok"]
    (ours,) = setting.get("/schemas", openapi="3.1.0", evidence=False)
    assert (ours["host"], ours["document"]["openapi"], set(ours["document"]["paths"])) == (HOST, "3.1.0", {"/users/{var1}"})
    assert "evidence" not in json.dumps(ours)
    assert "evidence" in json.dumps(setting.get("/schemas"))
    assert setting.get("/schemas", applied=True) == []
    assert setting.get("/schemas", host="other.example.com") == []


def last_updated(setting: Setting) -> str:
    (row,) = (row for row in setting.get("/operations") if row["operation_id"] == setting.users)
    told: str = row["newest"]["created_at"]
    return told


def test_what_was_looked_at_is_put_in_force(setting: Setting) -> None:
    setting.default_action("block")
    setting.learn()
    assert setting.enforced() == {"/users/{var1}": None, "/orders": None}
    envelope = setting.put(timestamp=last_updated(setting))
    assert (envelope["result"], codes(envelope)) == (None, [321])
    assert envelope["messages"][0]["message"].startswith(f"GET {HOST}/users/{{var1}}: violations are logged")
    assert setting.enforced() == {"/users/{var1}": f"learned GET {HOST}/users/{{var1}}, version 1", "/orders": None}
    assert setting.action() == "log"
    told: Any = setting.sdk.api_gateway.operations.get(setting.users, zone_id=setting.live.zone_id, feature=["schema_info"]).features
    assert told.schema_info.active_schema.is_learned is True
    before = setting.live.plane.revision()
    assert codes(setting.put()) == [322]
    assert setting.live.plane.revision() == before, "nothing has changed, so there is no new snapshot"


@pytest.mark.parametrize("spell", [str, lambda time: time.replace("+00:00", "Z"), lambda time: time.replace("+", " ")])
def test_a_timestamp_can_be_written_in_several_ways(setting: Setting, spell: Any) -> None:
    setting.learn()
    setting.put(timestamp=spell(last_updated(setting)))
    assert setting.enforced()["/users/{var1}"] is not None


def test_a_stale_or_unknown_timestamp_applies_nothing(setting: Setting) -> None:
    assert "No learning result recorded" in setting.put(status=404)["errors"][0]["message"]
    setting.learn(4)
    assert "4 of about 10 requests" in setting.put(status=404)["errors"][0]["message"]
    setting.learn()
    first = last_updated(setting)
    setting.learn(1, url="/users/1?page=1")
    assert (
        "version 1, is not the newest any more: the newest is version 2" in setting.put(status=409, timestamp=first)["errors"][0]["message"]
    )
    assert "the newest is version 2" in setting.put(status=404, timestamp="2026-01-01T00:00:00Z")["errors"][0]["message"]
    setting.put(status=400, timestamp="yesterday")
    setting.put(status=404, operation_id="0" * 36)
    assert setting.enforced()["/users/{var1}"] is None
    setting.put(timestamp=last_updated(setting))


@pytest.mark.parametrize(
    ("default", "own", "asked", "action", "told"),
    [
        ("block", None, None, "log", [321]),
        ("none", None, None, "log", [321]),
        ("log", None, None, None, []),
        ("block", "block", None, "block", []),
        ("block", "none", None, "none", [323]),
        ("block", None, "keep", None, []),
        ("none", None, "keep", None, [323]),
        ("block", None, "block", "block", []),
        ("block", "log", "none", "none", [323]),
    ],
)
def test_applying_starts_with_logging(
    setting: Setting, default: str, own: str | None, asked: str | None, action: str | None, told: list[int]
) -> None:
    setting.default_action(default)
    setting.sdk.schema_validation.settings.operations.update(setting.users, zone_id=setting.live.zone_id, mitigation_action=own)  # type: ignore[arg-type]
    setting.learn()
    query = {"mitigation_action": asked} if asked is not None else {}
    assert codes(setting.put(**query)) == told
    assert setting.action() == action


def test_an_uploaded_schema_is_unaffected(setting: Setting) -> None:
    setting.learn()
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": f"https://{HOST}"}],
        "paths": {
            "/users/{id}": {
                "get": {
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                    "responses": {"200": {"description": "ok"}},
                }
            }
        },
    }
    schemas, zone_id = setting.sdk.schema_validation.schemas, setting.live.zone_id
    uploaded = schemas.create(zone_id=zone_id, kind="openapi_v3", name="mine", source=json.dumps(document), validation_enabled=True)
    assert codes(setting.put()) == [320]
    assert (setting.enforced()["/users/{var1}"], setting.action()) == ("mine", None)
    assert setting.get(f"/operations/{setting.users}")["in_force"] == "uploaded"
    schemas.edit(uploaded.schema_id, zone_id=zone_id, validation_enabled=False)
    assert setting.enforced()["/users/{var1}"] is None, "unaffected means that nothing was applied"
    setting.put()
    assert setting.get(f"/operations/{setting.users}")["in_force"] == "learned"
    schemas.edit(uploaded.schema_id, zone_id=zone_id, validation_enabled=True)
    assert setting.enforced()["/users/{var1}"] == "mine"
    schemas.delete(uploaded.schema_id, zone_id=zone_id)
    assert str(setting.enforced()["/users/{var1}"]).startswith("learned")


def test_versions_are_kept_compared_and_gone_back_to(setting: Setting) -> None:
    setting.learn()
    setting.put()
    setting.learn(1, url="/users/1?page=1")
    versions = setting.get(f"/operations/{setting.users}/versions")
    assert [(row["version"], row["in_force"]) for row in versions] == [(2, False), (1, True)]
    second = setting.get(f"/operations/{setting.users}/versions/newest")
    assert [statement["rule"] for statement in second["statement_list"]] == ["query/id type", "query/page type", "query closed"]
    assert [statement["made"] for statement in second["statement_list"]] == [True, True, False]
    assert second["statement_list"][2]["evidence"]["needs"] == 200
    assert "x-hauberk-evidence" in json.dumps(second["operation"])
    assert "x-hauberk-evidence" not in json.dumps(second["document"])
    path = f"/operations/{setting.users}"
    setting.call("GET", f"{path}/versions/3", 404)
    setting.call("GET", f"{path}/versions/first", 400)
    assert "version 1 was the first in force" in setting.call("POST", f"{path}/rollback", 409)["errors"][0]["message"]
    assert setting.call("POST", f"{path}/apply", json={})["result"]["version"] == 2
    assert str(setting.enforced()["/users/{var1}"]).endswith("version 2")
    assert setting.call("POST", f"{path}/rollback")["result"]["version"] == 1
    assert (setting.get(path)["applied_version"], setting.get(path)["rolled_back"]) == (1, True)
    assert str(setting.enforced()["/users/{var1}"]).endswith("version 1")
    setting.call("POST", f"{path}/rollback", 404, json={"version": 9})
    setting.call("DELETE", f"{path}/applied")
    assert setting.enforced()["/users/{var1}"] is None
    setting.call("DELETE", f"{path}/applied", 409)
    setting.call("POST", f"{path}/rollback", 409)


def test_what_differs_between_versions(setting: Setting) -> None:
    path = f"/operations/{setting.users}/difference"
    setting.call("GET", path, 404)
    setting.learn()
    setting.call("GET", path, 404)
    setting.learn(1, url="/users/1?page=1")
    told = setting.get(path)
    assert (told["before"], told["after"], told["breaking"]) == (1, 2, False)
    assert ["page" in change["where"] for change in told["changes"]] == [True]
    setting.learn(1, url="/users/1?size=1")
    assert (setting.get(path)["before"], setting.get(path)["after"]) == (2, 3)
    setting.call("POST", f"/operations/{setting.users}/apply", json={"version": 1})
    assert (setting.get(path)["before"], setting.get(path)["after"]) == (1, 3)
    back = setting.get(path, before=3, after=1)
    assert (back["before"], back["after"], back["breaking"]) == (3, 1, True)
    setting.call("GET", path, 404, before=9)


def test_many_are_applied_in_one_change(setting: Setting) -> None:
    setting.learn()
    setting.call("POST", "/apply", 400, json={})
    before = setting.live.plane.revision()
    envelope = setting.call("POST", "/apply", json={"hosts": [HOST], "mitigation_action": "block"})
    outcomes = {one["endpoint"]: (one["outcome"], one["version"], one["mitigation_action"]) for one in envelope["result"]}
    assert outcomes == {"/users/{var1}": ("applied", 1, "block"), "/orders": ("nothing_learned", None, None)}
    assert codes(envelope) == [324]
    assert setting.live.plane.revision() == before + 1
    setting.call("POST", "/apply", 404, json={"operation_ids": [setting.users, "x"]})


def test_what_was_in_force_is_put_back(setting: Setting) -> None:
    setting.learn()
    setting.learn(20, url="/orders", method="POST")
    first = setting.call("POST", "/apply", json={"hosts": [HOST], "mitigation_action": "block"})["result"]
    nothing = {"version": None, "mitigation_action": None, "rolled_back": False}
    at_one = {"version": 1, "mitigation_action": "block", "rolled_back": False}
    assert [one["before"] for one in first] == [nothing | {"instead_of": at_one}] * 2
    setting.learn(1, url="/users/1?page=1")
    (second,) = setting.call("POST", "/apply", json={"operation_ids": [setting.users], "mitigation_action": "log"})["result"]
    assert second["before"] == at_one | {"instead_of": {"version": 2, "mitigation_action": "log", "rolled_back": False}}
    setting.call("PUT", "/in_force", json={setting.users: second["before"]})
    assert (str(setting.enforced()["/users/{var1}"])[-1], setting.action()) == ("1", "block")
    setting.call("POST", f"/operations/{setting.users}/apply", json={})
    (back,) = (setting.call("POST", f"/operations/{setting.users}/rollback")["result"],)
    assert back["before"]["version"] == 2
    setting.call("POST", f"/operations/{setting.users}/apply", json={})
    setting.call("PUT", "/in_force", json={setting.users: {"version": 1, "mitigation_action": "log", "rolled_back": True}})
    assert setting.get(f"/operations/{setting.users}")["rolled_back"] is True
    told = setting.call("PUT", "/in_force", json={setting.users: {"mitigation_action": "block"}})["result"]
    gone_back = {"version": 1, "mitigation_action": "log", "rolled_back": True}
    assert told["before"] == {setting.users: gone_back | {"instead_of": gone_back | {"mitigation_action": "block"}}}
    assert (str(setting.enforced()["/users/{var1}"])[-1], setting.action()) == ("1", "block")
    setting.call("PUT", "/in_force", json=told["before"])
    assert setting.action() == "log"
    for wrong, status in (({}, 400), ({setting.users: {"version": 9, "mitigation_action": None}}, 404), ({"x": first[0]["before"]}, 404)):
        setting.call("PUT", "/in_force", status, json=wrong)
    revision = setting.live.plane.revision()
    # It was changed since: all of it stays, also of the operation that nobody has touched.
    setting.call("PUT", "/in_force", 409, json={one["operation_id"]: one["before"] for one in first})
    assert (setting.live.plane.revision(), setting.action()) == (revision, "log")
    setting.call("PUT", "/in_force", json={one["operation_id"]: nothing for one in first})
    assert setting.enforced() == {"/users/{var1}": None, "/orders": None}
    assert (setting.action(), setting.live.plane.revision()) == (None, revision + 1)


def test_which_operations_are_ready_to_be_applied(setting: Setting) -> None:
    def ready(wanted: bool = True, **query: Any) -> list[str]:
        rows = setting.get("/operations", ready=wanted, **query)
        assert [row["ready"] for row in rows] == [wanted] * len(rows)
        return [row["endpoint"] for row in rows]

    assert (ready(), ready(False)) == ([], ["/orders", "/users/{var1}"])
    setting.learn()
    setting.learn(20, url="/orders", method="POST")
    assert ready() == ["/orders", "/users/{var1}"]
    assert (ready(per_page=1, page=2), ready(endpoint="ord"), ready(per_page=1, page=3)) == (["/users/{var1}"], ["/orders"], [])
    assert setting.call("GET", "/operations", ready=True, per_page=1)["result_info"]["total_count"] == 2
    setting.call("POST", "/apply", json={"hosts": [HOST]})
    assert ready() == []
    setting.learn(1, url="/users/1?page=1")
    assert ready() == ["/users/{var1}"]
    setting.call("POST", f"/operations/{setting.users}/apply", json={})
    setting.call("POST", f"/operations/{setting.users}/rollback")
    assert ready() == [], "the owner has gone back"
    setting.call("DELETE", f"/operations/{setting.users}/applied")
    assert ready() == ["/users/{var1}"]
    operation = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {}}], "responses": {"200": {"description": ""}}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/users/{id}": {"get": operation}}}
    setting.sdk.schema_validation.schemas.create(
        zone_id=setting.live.zone_id, kind="openapi_v3", name="t", source=json.dumps(document), validation_enabled=True
    )
    assert ready() == [], "an uploaded schema is in force"


def test_hosts_that_apply_by_themselves(setting: Setting) -> None:
    setting.learn()
    assert setting.get("/hosts") == [{"host": HOST, "auto_apply": False}]
    changed = setting.call("PUT", f"/hosts/{HOST}", json={"auto_apply": True})["result"]
    assert [(one["endpoint"], one["outcome"]) for one in changed["applied"]] == [("/users/{var1}", "applied")]
    assert setting.get("/hosts") == [{"host": HOST, "auto_apply": True}]
    setting.learn(1, url="/users/1?page=1")
    assert str(setting.enforced()["/users/{var1}"]).endswith("version 2")
    setting.call("PUT", f"/hosts/{HOST}", json={"auto_apply": False})
    setting.learn(1, url="/users/1?size=1")
    assert str(setting.enforced()["/users/{var1}"]).endswith("version 2")
    setting.call("PUT", "/hosts/other.example.com", 404, json={"auto_apply": True})


def test_relearning(setting: Setting) -> None:
    setting.learn()
    told = setting.call("POST", f"/operations/{setting.users}/relearn")["result"]
    assert (told["state"], told["requests"], told["newest"]["version"]) == ("no_result", 0, 1)
    assert told["since"] is not None


def test_a_post_without_recorded_bodies_says_so(setting: Setting) -> None:
    setting.learn(20, url="/orders", method="POST")
    (note,) = setting.get(f"/operations/{setting.ids[ORDERS]}")["notes"]
    assert 'traffic.bodies to "json"' in note


def test_one_operations_change_changes_one_document(setting: Setting) -> None:
    setting.learn()
    setting.learn(20, url="/orders", method="POST")
    setting.call("POST", "/apply", json={"hosts": [HOST]})
    before = {one["name"]: one["source"] for one in setting.snapshot()["schemas"]}
    assert len(before) == 2
    setting.learn(1, url="/users/1?page=1")
    setting.put()
    after = {one["name"]: one["source"] for one in setting.snapshot()["schemas"]}
    assert len(set(before.items()) & set(after.items())) == 1
    assert setting.live.plane.snapshot().data == setting.live.plane.snapshot().data


def test_metrics(setting: Setting) -> None:
    setting.learn()
    setting.put()
    text = setting.http.get("/metrics").text
    assert 'hauberk_learning_operations{state="schema_learned"} 1.0' in text
    assert "hauberk_learned_schemas_in_force 1.0" in text
    assert "hauberk_learning_last_run_timestamp_seconds" in text


def test_readers_may_look_and_not_change(setting: Setting) -> None:
    made = setting.http.post("/hauberk/v1/tokens", json={"name": "r", "scope": "read"}).json()["result"]["token"]
    with setting.live.client(made) as reader:
        assert reader.get(f"{setting.own}/operations").status_code == 200
        assert reader.post(f"{setting.own}/run").status_code == 403
        assert reader.post(f"{setting.own}/operations/{setting.users}/apply", json={}).status_code == 403


def test_other_zones_are_not_touched(setting: Setting) -> None:
    with setting.live.plane.database.write() as session:
        session.add(Zone(id="0" * 32, name="other.test"))
    path = f"/hauberk/v1/zones/{'0' * 32}/learning/operations/{setting.users}"
    assert setting.http.get(path).status_code == 404
    assert setting.http.post(f"{path}/apply", json={}).status_code == 404


def test_times_in_the_future_are_unknown(setting: Setting) -> None:
    setting.learn()
    with setting.live.plane.database.read() as session:
        at = session.query(LearnedVersion).one().created_at
    setting.put(status=404, timestamp=(at + timedelta(days=1)).isoformat())
