"""A look at a document before it is uploaded; uploads with actions in one change; deletions that are put back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import yaml

from conftest import LiveControlPlane
from hauberk.api import schema_preview, schema_validation
from hauberk.turns import Turns
from openapi_documents import BAD, temps_yaml

HOST = "api.example.com"
UNDECLARED = """\
  /temps/{id}:
    get:
      responses: {200: {description: ok}}
"""
YAML = temps_yaml("https://other.test", more_paths=UNDECLARED)


class Rest:
    """The REST API of a zone."""

    def __init__(self, live: LiveControlPlane, client: httpx.Client) -> None:
        self.live, self.client = live, client

    def call(self, method: str, path: str, status: int = 200, json: Any = None, **query: Any) -> Any:
        root = f"/client/v4/zones/{self.live.zone_id}/" if path.startswith(("schema_validation", "api_gateway")) else None
        answer = self.client.request(method, (root or f"/hauberk/v1/zones/{self.live.zone_id}/") + path, json=json, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()["result"] if status < 400 else answer.json()

    def look(self, source: str, **body: Any) -> Any:
        before = self.live.plane.revision()
        told = self.call("POST", "schemas/preview", json={"source": source, **body})
        assert (self.live.plane.revision(), self.call("GET", "schemas")) == (before, self.call("GET", "schemas"))
        return told

    def upload(self, source: str = YAML, **body: Any) -> Any:
        return self.call("POST", "schemas", json={"name": "t", "source": source, "validation_enabled": True, **body})

    def enforced(self) -> dict[str, tuple[str | None, str | None]]:
        content = json.loads(self.live.plane.snapshot().data.partition(b"\n")[2])
        names = {schema["schema_id"]: schema["name"] for schema in content["schemas"]}
        rows = content["zones"][0]["operations"]
        named = {f"{one['method']} {one['host']}{one['endpoint']}": one for one in rows}
        return {
            name: (names[one["schema"]["schema_id"]] if one["schema"] else None, one["mitigation_action"]) for name, one in named.items()
        }


@pytest.fixture
def rest(control_plane: LiveControlPlane) -> Any:
    with control_plane.client() as client:
        yield Rest(control_plane, client)


def test_a_look_tells_hosts_operations_and_problems_by_place(rest: Rest) -> None:
    saved = rest.call("POST", "api_gateway/operations/item", json={"method": "GET", "host": HOST, "endpoint": "/v1/temps"})
    told = rest.look(YAML)
    assert (told["accepted"], told["title"], told["new"], told["existing"]) == (True, "Temperatures", 5, 1)
    assert told["hosts"] == [
        {"host": HOST, "operations": 3, "in_zone": True},
        {"host": "other.test", "operations": 3, "in_zone": False},
    ]
    assert [(one["method"], one["host"], one["endpoint"]) for one in told["operations"]][:3:2] == [
        ("GET", HOST, "/v1/temps"),
        ("POST", HOST, "/v1/temps"),
    ]
    first = told["operations"][0]
    assert (first["operation_id"], first["in_force"], first["changes"]) == (saved["operation_id"], None, None)
    places = {problem["code"]: problem["places"] for problem in told["problems"]}
    pointer = "/paths/~1temps/post/requestBody/content/application~1xml"
    (place,) = places[28]
    assert place == {
        "location": '.paths["/temps"].post.requestBody.content["application/xml"]',
        "pointer": pointer,
        "line": 13,
        "column": 11,
    }
    assert [(place["pointer"], place["line"]) for place in places[201]] == [("/paths/~1temps~1{id}/get", 17)]
    assert {problem["severity"] for problem in told["problems"]} == {"warning"}
    as_json = rest.look(json.dumps(yaml.safe_load(YAML.replace("200:", "'200':")), indent=2))
    (place,) = next(problem["places"] for problem in as_json["problems"] if problem["code"] == 28)
    assert place["pointer"] == pointer
    assert '"application/xml"' in json.dumps(yaml.safe_load(YAML.replace("200:", "'200':")), indent=2).splitlines()[place["line"] - 1]


@pytest.mark.parametrize("kind", BAD)
def test_a_look_at_a_document_that_would_be_refused(rest: Rest, kind: str) -> None:
    source, severity, code = BAD[kind]
    if not source:
        return
    told = rest.look(source)
    assert (told["accepted"], told["operations"]) == (False, [])
    assert (severity, code) in [(problem["severity"], problem["code"]) for problem in told["problems"]]
    refused = rest.call("POST", "schemas", 400, json={"name": "t", "source": source, "validation_enabled": True})
    assert refused["errors"][0]["message"] == told["message"]


def test_where_reading_ended_is_a_place(rest: Rest) -> None:
    (problem,) = rest.look("openapi: 3.0.3\n  a: [")["problems"]
    assert problem["places"] == [{"location": None, "pointer": None, "line": 2, "column": 4}]


def test_a_look_tells_what_would_be_replaced_and_how_it_differs(rest: Rest) -> None:
    only_ours = YAML.replace(", {url: https://other.test}", "")
    first = rest.upload(only_ours, name="first", save_operations=True)
    told = rest.look(only_ours.replace("maximum: 10", "maximum: 5"))
    by_name = {f"{one['method']} {one['endpoint']}": one for one in told["operations"]}
    changed = by_name["GET /v1/temps"]
    assert changed["in_force"] == {"kind": "uploaded", "schema_id": first["schema_id"], "name": "first", "version": None}
    assert [(change["what"], change["breaking"]) for change in changed["changes"]] == [("maximum 10 → 5", True)]
    assert by_name["GET /v1/temps/{var1}"]["changes"] == []
    assert (told["new"], told["existing"]) == (0, 3)
    # The same under another path, whose servers have the rest.
    moved = only_ours.replace("/v1}", "}").replace("/temps", "/v1/temps")
    assert [one["changes"] for one in rest.look(moved)["operations"]] == [[], [], []]


def test_a_look_asks_for_a_host_where_the_upload_would(rest: Rest) -> None:
    document = YAML.replace("servers: [{url: https://api.example.com/v1}, {url: https://other.test}]\n", "")
    assert rest.look(document)["hosts"] == [{"host": HOST, "operations": 3, "in_zone": True}]
    assert rest.look(document, host="www.example.com")["hosts"][0]["host"] == "www.example.com"
    rest.call("POST", "schemas/preview", 400, json={"source": document, "host": "elsewhere.test"})
    rest.call("POST", "schemas/preview", 400, json={"source": ""})


def test_an_upload_saves_sets_actions_and_enables_in_one_change(rest: Rest) -> None:
    existing = rest.call("POST", "api_gateway/operations/item", json={"method": "GET", "host": HOST, "endpoint": "/v1/temps"})[
        "operation_id"
    ]
    rest.call("PUT", f"schema_validation/settings/operations/{existing}", json={"mitigation_action": "log"})
    before = rest.live.plane.revision()
    told = rest.upload(save_operations=True, mitigation_actions={HOST: "block"})
    assert rest.live.plane.revision() == before + 1
    ours = {f"GET {HOST}/v1/temps", f"POST {HOST}/v1/temps", f"GET {HOST}/v1/temps/{{var1}}"}
    assert {name for name, state in rest.enforced().items() if state == ("t", "block")} == ours
    assert told["changed"]["actions"] == {existing: "log"}
    assert len(told["changed"]["saved"]) == 5
    undo = told["changed"]["undo"]
    assert undo["actions"] == {"changes": [{"mitigation_action": "log", "instead_of": "block", "operation_ids": [existing]}]}
    assert {one["instead_of"]: len(one["operation_ids"]) for one in undo["delete"]} == {"block": 2, None: 3}
    assert (told["operations"], told["saved"], told["in_force"], told["validation_enabled"]) == (6, 6, 6, True)
    rest.call(
        "POST",
        "schemas",
        400,
        json={"name": "t", "source": YAML, "validation_enabled": True, "mitigation_actions": {"x.example.com": "log"}},
    )
    (listed,) = rest.call("GET", "schemas")
    assert (listed["warnings"], listed["hosts"][0], listed["source"]) == (3, {"host": HOST, "operations": 3, "in_zone": True}, None)
    whole = rest.call("GET", f"schemas/{told['schema_id']}")
    assert {problem["code"]: problem["places"][0]["line"] for problem in whole["problems"]} == {28: 13, 201: 17, 213: 3}
    rest.call("GET", "schemas/unknown", 404)


def test_without_saving_only_operations_that_are_saved_get_the_action(rest: Rest) -> None:
    rest.call("POST", "api_gateway/operations/item", json={"method": "GET", "host": HOST, "endpoint": "/v1/temps"})
    told = rest.upload(mitigation_actions={HOST: "log"})
    assert (told["changed"]["saved"], len(told["changed"]["actions"])) == ([], 1)
    assert rest.enforced() == {f"GET {HOST}/v1/temps": ("t", "log")}


def test_the_text_is_downloaded_byte_for_byte(rest: Rest) -> None:
    source = YAML.replace("Temperatures", "Températures \u202e</script>").replace("\n", "\r\n")
    id_ = rest.upload(source)["schema_id"]
    answer = rest.client.get(f"/hauberk/v1/zones/{rest.live.zone_id}/schemas/{id_}/source")
    assert (answer.content.decode(), answer.headers["content-type"]) == (source, "application/yaml")
    assert answer.headers["content-disposition"] == f'attachment; filename="{id_}.yaml"'


def test_a_deleted_schema_is_put_back_in_its_place(rest: Rest) -> None:
    first = rest.upload(name="first", save_operations=True)
    second = rest.upload(name="second")
    before = rest.enforced()
    assert before[f"GET {HOST}/v1/temps"][0] == "second"
    told = rest.call("GET", f"schema_validation/schemas/{first['schema_id']}")
    rest.call("DELETE", f"schema_validation/schemas/{first['schema_id']}")
    body = {name: told[name] for name in ("name", "source", "validation_enabled", "created_at")}
    rest.call("PUT", f"schemas/{first['schema_id']}", json=body)
    assert rest.call("GET", f"schema_validation/schemas/{first['schema_id']}") == told
    assert [one["name"] for one in rest.call("GET", "schemas")] == ["second", "first"]
    assert rest.enforced() == before
    rest.call("PUT", f"schemas/{first['schema_id']}", 409, json=body)
    rest.call("PUT", f"schemas/{second['schema_id']}x", 400, json=body)
    rest.call("PUT", f"schemas/{first['schema_id']}", 400, json=body | {"created_at": "2026-01-01T00:00:00"})


HOSTILE = {
    "an alias in itself": "x: &a [*a]\n",
    "merges of merges": "x-0: &a0 {k: v}\n" + "".join(f"x-{i}: &a{i}\n  <<: *a{i - 1}\n  k{i}: 1\n" for i in range(1, 500)),
    "a key without end": f'"{"k" * 1_000_000}": 1\n',
    "a key twice": "x: 1\nx: 2\n",
    "a tag that makes an object": "x: !!python/object/apply:os.system [id]\n",
    "nesting in lines": "".join(" " * depth + "a:\n" for depth in range(2000)),
    "nesting in dashes": "x:\n" + "- " * 100_000 + "1\n",
    "nesting in brackets": "x: " + "[" * 100_000 + "\n",
    "a key that is no text": "? [a]\n: 1\n",
    "anchors": "".join(f"x-{number}: &a{number} 1\n" for number in range(100_000)),
    "spaces": "x: a" + " " * 1_000_000 + "b\n",
    "quotes in one line": "x: [" + '"a", ' * 100_000 + "]\n",
}


def test_a_hostile_document_is_judged_like_any_other(rest: Rest) -> None:
    begin = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /a/{b}: {get: {responses: {}}}\n"
    for kind, text in HOSTILE.items():
        told = rest.look(begin + text)
        is_good = kind in {"anchors", "spaces", "quotes in one line"}
        found = [(problem["code"], problem["places"][0]["line"] > 3) for problem in told["problems"]]
        assert (kind, told["accepted"], found) == (kind, is_good, [(201 if is_good else 101, True)])


def test_documents_are_never_looked_at_where_other_requests_are_taken(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    loops: list[tuple[str, bool]] = []

    def seen(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            loops.append((function.__name__, asyncio._get_running_loop() is not None))
            return function(*arguments)

        return call

    monkeypatch.setattr(schema_validation, "read_document", seen(schema_validation.read_document))
    monkeypatch.setattr(schema_preview, "find_spots", seen(schema_preview.find_spots))
    monkeypatch.setattr(schema_preview, "read_tree", seen(schema_preview.read_tree))
    rest.upload()
    rest.look(YAML)
    assert set(loops) == {("read_document", False), ("find_spots", False), ("read_tree", False)}


def test_few_documents_are_looked_at_at_a_time(rest: Rest) -> None:
    plane = rest.live.plane
    plane.documents = Turns(1, 0, "too many documents", 3)
    schema = {"name": "t", "source": YAML, "validation_enabled": True}
    with plane.documents.turn():
        for path in ("schemas/preview", "schemas", "schema_validation/schemas"):
            body = {"source": YAML} if path.endswith("preview") else schema | ({"kind": "openapi_v3"} if "validation" in path else {})
            refused = rest.call("POST", path, 429, json=body)
            assert refused["errors"][0]["message"] == "too many documents"
        assert rest.call("GET", "schemas") == []
    assert rest.look(YAML)["accepted"]
