"""`hauberk validate`: recorded requests judged by documents, as a gateway would judge them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import yaml

from hauberk import _native

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

JSON = ["Content-Type", "application/json"]
HOST = "api.example.com"


def document(*servers: str, version: str = "3.0.3", **paths: Any) -> dict[str, Any]:
    """A small API; `paths` are further ones."""
    integer = {"type": "integer", "minimum": 1, "maximum": 99}
    temps: dict[str, Any] = {
        "get": {
            "parameters": [
                {"name": "limit", "in": "query", "schema": integer},
                {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string", "maxLength": 4}},
            ],
            "responses": {"200": {"description": "."}},
        },
        "post": {
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["value"],
                            "additionalProperties": False,
                            "properties": {"value": {"type": "number", "maximum": 100}},
                        }
                    }
                },
            },
            "responses": {"200": {"description": "."}},
        },
    }
    one = {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
        "get": {"responses": {"200": {"description": "."}}},
    }
    return {
        "openapi": version,
        "info": {"title": "Temperatures", "version": "1"},
        **({"servers": [{"url": url} for url in servers]} if servers else {}),
        "paths": {"/temps": temps, "/temps/{id}": one, **paths},
    }


def row(method: str, path: str, *, host: str = HOST, **members: Any) -> dict[str, Any]:
    headers = [["Host", host], ["X-Tenant", "a"]]
    return {"host": host, "method": method, "url": f"https://{host}{path}", "status": 200, "request_headers": headers} | members


def judge(rows: list[dict[str, Any]], *documents: dict[str, Any]) -> list[dict[str, Any]]:
    validator = _native.Validator([json.dumps(one).encode() for one in documents])
    verdicts: list[dict[str, Any]] = json.loads(validator.judge("\n".join(json.dumps(row) for row in rows).encode()))
    return verdicts


def told(verdict: dict[str, Any]) -> str:
    """A verdict in a word, or the first violation."""
    if verdict["verdict"] != "violates":
        return str(verdict["verdict"])
    first = verdict["violations"][0]
    return f"{first['location']} {first['target']}: {first['error_detail'] or first['error_class']}"


POST_HEADERS = {"request_headers": [["Host", HOST], JSON]}

CASES: list[tuple[dict[str, Any], str]] = [
    (row("GET", "/temps"), "conforms"),
    (row("HEAD", "/temps"), "conforms"),
    (row("GET", "/temps?limit=5"), "conforms"),
    (row("GET", "/temps?limit=500"), "query limit: number_too_big"),
    (row("GET", "/temps?nothing=5"), "query nothing: forbidden_value"),
    (row("GET", "/temps", request_headers=[["Host", HOST]]), "header X-Tenant: missing_required"),
    (row("GET", "/temps", request_headers=[["x-tenant", "abcde"]]), "header X-Tenant: string_length_not_in_range"),
    (row("GET", "/temps", request_headers=[[":authority", HOST], ["X-Tenant", "a"]]), "conforms"),
    (row("GET", "/temps", request_headers=[["X-Tenant", "a"], ["X-Other", "s3\ncr3t"]]), "header : malformed_header"),
    (row("GET", "/temps", request_headers=[["X-Tenant", "a"], ["X-HTTP-Method-Override", "DELETE"]]), "header : method_override"),
    (row("GET", "/temps/7"), "conforms"),
    (row("GET", "/temps/%37"), "conforms"),
    (row("GET", "/temps/x"), "path id: expected:integer"),
    (row("GET", "/temps/x y"), "path id: expected:integer"),
    (row("GET", "/temps/"), "path /temps: lookalike_path"),
    (row("GET", "/Temps"), "path /temps: lookalike_path"),
    (row("GET", "/temps/../etc"), "path : ambiguous_path"),
    (row("GET", "/temps/%2e%2e"), "path : ambiguous_path"),
    (row("GET", "/temps/x%2Fy"), "path id: expected:integer"),
    (row("GET", "/temps/..%2Fy"), "path : ambiguous_path"),
    (row("GET", "/none/x%2fy"), "path : ambiguous_path"),
    (row("GET", "/other"), "not_evaluated"),
    (row("DELETE", "/temps"), "not_evaluated"),
    (row("get", "/temps"), "not_evaluated"),
    (row("G E T", "/temps"), "not_evaluated"),
    (row("OPTIONS", "/temps", url="*"), "not_evaluated"),
    (row("POST", "/temps", request_body='{"value": 21.5}', **POST_HEADERS), "conforms"),
    (row("POST", "/temps", request_body='{"value": 210}', **POST_HEADERS), "body $.value: number_too_big"),
    (row("POST", "/temps", request_body='{"value": 2, "s3cr3t": 1}', **POST_HEADERS), "body $.s3cr3t: forbidden_value"),
    (row("POST", "/temps", request_body='{"value', **POST_HEADERS), "body $: invalid_json"),
    (row("POST", "/temps", request_body_b64=base64.b64encode(b'{"value": 1}').decode(), **POST_HEADERS), "conforms"),
    (row("POST", "/temps", request_body_b64=base64.b64encode(b'{"value": "1"}').decode(), **POST_HEADERS), "body $.value: expected:number"),
    (row("POST", "/temps", request_body_b64="no base64!", **POST_HEADERS), "conforms"),
    (row("POST", "/temps", **POST_HEADERS), "body $: missing_required"),
    (row("POST", "/temps", request_body="", **POST_HEADERS), "body $: missing_required"),
    (row("POST", "/temps", request_body_omitted=70_000, **POST_HEADERS), "conforms"),
    (row("POST", "/temps", request_headers=[JSON, ["Content-Length", "12"]]), "conforms"),
    (row("POST", "/temps", request_headers=[JSON, ["Transfer-Encoding", "chunked"]]), "conforms"),
    (row("POST", "/temps", request_headers=[["Content-Type", "text/plain"]], request_body_omitted=9), "body $: invalid_media_type"),
    # Access logs keep no headers, and so nothing that only they tell is missed.
    (row("GET", "/temps?limit=5", request_headers=[]), "conforms"),
    (row("GET", "/temps?limit=x", request_headers=[]), "query limit: expected:integer"),
    (row("POST", "/temps", request_headers=[]), "conforms"),
    # The status says nothing of the request.
    (row("GET", "/temps?limit=x", status=400), "query limit: expected:integer"),
]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_recorded_request_is_judged_as_a_gateway_would(version: str) -> None:
    verdicts = judge([request for request, _ in CASES], document(f"https://{HOST}", version=version))
    assert [verdict["row"] for verdict in verdicts] == list(range(len(CASES)))
    for (request, wanted), verdict in zip(CASES, verdicts, strict=True):
        assert told(verdict) == wanted, request


HOST_CASES: list[tuple[list[list[str]], str, str | None]] = [
    ([[]], "whatever.example.com", "GET /temps"),
    ([["https://api.example.com/"]], "api.example.com", "GET api.example.com/temps"),
    ([["https://api.example.com"]], "API.example.com.:8080", None),
    ([["https://api.example.com"]], "API.example.com", "GET api.example.com/temps"),
    ([["https://api.example.com"]], "api.example.com.", "GET api.example.com/temps"),
    ([["https://api.example.com"]], "api.example.com:8080", "GET api.example.com/temps"),
    ([["https://api.example.com"]], "example.com", None),
    ([["https://api.example.com:8443"]], "api.example.com:8443", "GET api.example.com:8443/temps"),
    ([["https://api.example.com:8443"]], "api.example.com", "GET api.example.com:8443/temps"),
    ([["https://api.example.com"], ["https://api.example.com:8443"]], "api.example.com:8443", "GET api.example.com:8443/temps"),
    ([["https://api.example.com"], ["https://api.example.com:8443"]], "api.example.com:99", "GET api.example.com/temps"),
    ([["https://{tenant}.example.com"]], "acme.example.com", "GET {hostVar1}.example.com/temps"),
    ([["https://{tenant}.example.com"]], "acme.example.com:8080", "GET {hostVar1}.example.com/temps"),
    ([["https://{tenant}.example.com"]], "a.b.example.com", None),
    ([["https://{tenant}.example.com"], ["https://acme.example.com"]], "acme.example.com", "GET acme.example.com/temps"),
    ([[], ["https://acme.example.com"]], "acme.example.com", "GET acme.example.com/temps"),
    ([["http://[::1]:3000"]], "[::1]:3000", "GET [::1]:3000/temps"),
    ([["https://a.example.com", "https://b.example.com"]], "b.example.com", "GET b.example.com/temps"),
]


@pytest.mark.parametrize(("servers", "host", "operation"), HOST_CASES)
def test_a_document_judges_the_hosts_its_servers_name(servers: list[list[str]], host: str, operation: str | None) -> None:
    [verdict] = judge([row("GET", "/temps", host=host)], *(document(*urls) for urls in servers))
    assert verdict["operation"] == operation
    assert verdict["verdict"] == ("not_evaluated" if operation is None else "conforms")


def test_an_encoded_slash_is_refused_by_the_gateway_and_that_is_no_verdict_of_the_document() -> None:
    parameter = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[a-z/]*$"}}
    names = {"get": {"parameters": [parameter], "responses": {"200": {"description": "ok"}}}}
    with_names = document(f"https://{HOST}", **{"/names/{name}": names})
    good, bad = judge([row("GET", "/names/a%2Fb"), row("GET", "/names/a%2FB")], with_names)
    assert (good["verdict"], good["operation"]) == ("not_evaluated", None)
    assert [violation["error_detail"] for violation in good["violations"]] == ["ambiguous_path"]
    assert told(bad) == "path name: pattern_no_match"


def test_the_base_path_of_the_servers_belongs_to_the_path() -> None:
    api = document(f"https://{HOST}/v1/{{region}}")
    verdicts = judge([row("GET", path) for path in ("/v1/eu/temps/7", "/v1/eu/temps/x", "/temps/7")], api)
    assert [told(verdict) for verdict in verdicts] == ["conforms", "path id: expected:integer", "not_evaluated"]
    assert verdicts[0]["operation"] == f"GET {HOST}/v1/{{var1}}/temps/{{var2}}"


def test_of_two_documents_with_one_operation_the_first_stands() -> None:
    loose = document(f"https://{HOST}")
    loose["paths"]["/temps"]["get"]["parameters"] = []
    rows = [row("GET", "/temps?limit=5")]
    assert told(judge(rows, document(f"https://{HOST}"), loose)[0]) == "conforms"
    assert told(judge(rows, loose, document(f"https://{HOST}"))[0]) == "query limit: forbidden_value"


def test_lines_that_cannot_be_read_have_no_verdict() -> None:
    validator = _native.Validator([json.dumps(document()).encode()])
    lines = ["s3cr3t", json.dumps(row("GET", "/temps")), "", "{}", json.dumps(row("GET", "/temps"))]
    verdicts = json.loads(validator.judge("\n".join(lines).encode()))
    assert [verdict["row"] for verdict in verdicts] == [1, 4]
    assert json.loads(validator.judge(b"")) == []
    assert json.loads(validator.finish())["conforms"] == 2


@pytest.mark.parametrize("bad", [b"", b"s3cr3t", b"[]", b"{", b'{"openapi": "2.0"}', b"\xff\xfe", b'{"openapi": "3.0.3", "info": 1}'])
def test_a_document_that_is_refused_is_told_by_its_number(bad: bytes) -> None:
    with pytest.raises(ValueError, match=r"^document 2: ") as raised:
        _native.Validator([json.dumps(document()).encode(), bad])
    assert "s3cr3t" not in str(raised.value)


def capture(name: str, rows: list[dict[str, Any]]) -> Path:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Path(name)


def saved(name: str, api: dict[str, Any]) -> Path:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(json.dumps(api) if name.endswith(".json") else yaml.safe_dump(api))
    return Path(name)


@pytest.fixture
def files(run: Run) -> None:
    capture("a.ndjson", [row("GET", "/temps"), row("GET", "/temps?limit=s3cr3t"), row("GET", "/other")])
    capture("b.ndjson", [row("GET", "/temps/x")])
    saved("api.json", document(f"https://{HOST}"))
    saved("api.yaml", document(f"https://{HOST}", version="3.1.0"))


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("schema", ["api.json", "api.yaml"])
def test_verdicts_are_written_and_summed_up(run: Run, schema: str) -> None:
    ran = run("validate", "--schema", schema, "a.ndjson", "b.ndjson", "-o", "verdicts.ndjson")
    verdicts = [json.loads(line) for line in Path("verdicts.ndjson").read_text().splitlines()]
    assert [(one["row"], one["operation"], told(one)) for one in verdicts] == [
        (0, f"GET {HOST}/temps", "conforms"),
        (1, f"GET {HOST}/temps", "query limit: expected:integer"),
        (2, None, "not_evaluated"),
        (3, f"GET {HOST}/temps/{{var1}}", "path id: expected:integer"),
    ]
    assert set(verdicts[1]["violations"][0]) == {"location", "target", "error_class", "error_detail", "rule"}
    assert "4 requests: 1 conform, 2 violate (66.67% of those judged), 1 are for no operation" in ran.err
    assert [line.split() for line in ran.out.splitlines()[:2]] == [
        ["OPERATION", "CONFORMS", "VIOLATES"],
        ["GET", f"{HOST}/temps", "1", "1"],
    ]
    assert '.paths["/temps"].get.parameters[0]' in ran.out
    assert "s3cr3t" not in ran.out + ran.err + Path("verdicts.ndjson").read_text()
    piped = run("validate", "--schema", schema, "a.ndjson", "b.ndjson", "-o", "-")
    assert piped.out == Path("verdicts.ndjson").read_text()
    assert "OPERATION" in piped.err


@pytest.mark.usefixtures("files")
def test_the_summary_can_be_json(run: Run) -> None:
    counts = run("validate", "--schema", "api.json", "a.ndjson", "b.ndjson", "--json").json
    assert (counts["conforms"], counts["violates"], counts["not_evaluated"]) == (1, 2, 1)
    assert counts["operations"][0] == {
        "operation": f"GET {HOST}/temps",
        "conforms": 1,
        "violates": 1,
        "broken": [
            {
                "location": "query",
                "error_class": "invalid_type",
                "error_detail": "expected:integer",
                "rule": '.paths["/temps"].get.parameters[0]',
                "rows": 1,
            }
        ],
    }


@pytest.mark.usefixtures("files")
def test_a_folder_stands_for_the_documents_in_it(run: Run) -> None:
    saved("folder/a.json", document("https://a.example.com"))
    saved("folder/b.yml", document("https://b.example.com"))
    Path("folder/notes.txt").write_text("not OpenAPI")
    capture("x.ndjson", [row("GET", "/temps", host=f"{name}.example.com") for name in "abc"])
    counts = run("validate", "--schema", "folder", "--schema", "api.json", "x.ndjson", "--json").json
    assert (counts["conforms"], counts["not_evaluated"]) == (2, 1)


@pytest.mark.usefixtures("files")
def test_a_violation_fails_the_command_if_it_is_asked_to(run: Run) -> None:
    ran = run("validate", "--schema", "api.json", "a.ndjson", "--fail-on-violation", "-o", "verdicts.ndjson", ok=False)
    assert (ran.status, len(Path("verdicts.ndjson").read_text().splitlines())) == (1, 3)
    assert "error: 1 requests violate their document" in ran.err
    capture("good.ndjson", [row("GET", "/temps"), row("GET", "/other")])
    run("validate", "--schema", "api.json", "good.ndjson", "--fail-on-violation")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["a.ndjson"], 2, "missing option '--schema'"),
        (["--schema", "api.json"], 2, "missing argument 'FILE...'"),
        (["--schema", "none.json", "a.ndjson"], 1, "none.json: there is no such file"),
        (["--schema", "api.json", "none.ndjson"], 1, "none.ndjson: cannot be read"),
        (["--schema", "a.ndjson", "a.ndjson"], 1, "a.ndjson: "),
        (["--schema", "api.json", "--schema", "bad.json", "a.ndjson"], 1, "bad.json: "),
        (["--schema", "empty", "a.ndjson"], 1, "empty: the folder has no document"),
        (["--schema", "-", "-"], 2, "standard input holds a document or a capture"),
        (["--schema", "api.json", "a.ndjson", "-o", "nowhere/verdicts"], 1, "nowhere/verdicts: cannot be written"),
        (["--schema", "api.json", "a.ndjson", "--format", "xml"], 2, "there is no format 'xml'"),
    ],
)
def test_an_error_leaves_what_is_there_and_nothing_else(run: Run, arguments: list[str], status: int, message: str) -> None:
    Path("bad.json").write_text('{"openapi": "3.0.3"}')
    Path("empty").mkdir()
    Path("verdicts.ndjson").write_text("old")
    before = sorted(Path().iterdir())
    more = [] if "-o" in arguments else ["-o", "verdicts.ndjson"]
    ran = run("validate", *arguments, *more, ok=False)
    assert ran.status == status
    assert message in ran.err
    assert Path("verdicts.ndjson").read_text() == "old"
    assert sorted(Path().iterdir()) == before


@pytest.mark.usefixtures("files")
def test_the_document_can_come_by_standard_input(run: Run) -> None:
    command = [sys.executable, "-m", "hauberk.cli", "validate", "--schema", "-", "a.ndjson", "--json"]
    ran = subprocess.run(command, input=Path("api.json").read_bytes(), stdout=subprocess.PIPE, check=True)
    assert json.loads(ran.stdout)["violates"] == 1


def test_recorded_clients_mostly_follow_the_official_document(run: Run, recordings: Path) -> None:
    packed = recordings.parent / "openapi" / "github-2023.json.zst"
    with pa.CompressedInputStream(pa.OSFile(str(packed)), "zstd") as stream:
        Path("github.json").write_bytes(stream.read())
    file = recordings / "pygithub.ndjson.zst"
    counts = run("validate", "--schema", "github.json", file, "-o", "verdicts.ndjson", "--json").json
    verdicts = [json.loads(line) for line in Path("verdicts.ndjson").read_text().splitlines()]
    assert len(verdicts) == counts["conforms"] + counts["violates"] + counts["not_evaluated"]
    assert counts["violates"] / (counts["conforms"] + counts["violates"]) < 0.1
    assert counts["violates"] == sum(bool(one["violations"]) for one in verdicts)


@pytest.mark.parametrize("over", ["schema.json", "rows.ndjson", "link"])
def test_verdicts_do_not_replace_what_they_rest_on(run: Run, tmp_path: Path, over: str) -> None:
    schema, rows = tmp_path / "schema.json", tmp_path / "rows.ndjson"
    schema.write_text(json.dumps(document(f"https://{HOST}")))
    rows.write_text("{}\n")
    (tmp_path / "link").symlink_to(schema)
    before = schema.read_text(), rows.read_text()
    ended = run("validate", "--schema", str(schema), str(rows), "-o", str(tmp_path / over), ok=False)
    assert (ended.status, "is read as well" in ended.err) == (2, True), ended
    assert run("learn", str(rows), "-o", str(rows), ok=False).status == 2
    assert (schema.read_text(), rows.read_text()) == before
