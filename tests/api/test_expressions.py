"""The language of rules over REST: what there is, what does not compile and where, rows and text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conftest import LiveControlPlane


@pytest.fixture
def http(control_plane: LiveControlPlane) -> Iterator[httpx.Client]:
    with control_plane.client() as client:
        client.base_url = httpx.URL(f"{control_plane.base_url}/hauberk/v1/expressions")
        yield client


def check(http: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/check", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["result"])


def test_the_language_is_listed_with_what_each_field_is(http: httpx.Client) -> None:
    fields = {field["name"]: field for field in http.get("/language").json()["result"]["fields"]}
    assert fields["http.host"]["operators"] == ["eq", "ne", "in", "not in"]
    assert fields["cf.tls_client_auth.cert_verified"]["type"] == "boolean"
    assert all(field["meaning"] for field in fields.values())
    for name, field in fields.items():
        for operator in field["operators"]:
            row = {"field": name, "operator": operator, "values": [] if field["type"] == "boolean" else ["x"]}
            assert check(http, rows={"match": "all", "groups": [[row]]})["error"] is None


def test_a_text_that_does_not_compile_is_told_with_its_place(http: httpx.Client) -> None:
    error = check(http, expression='http.host eqq "ä"')["error"]
    assert error == {
        "column": 11,
        "found": '"eqq"',
        "expected": "one of: eq, ne, in",
        "message": 'column 11: found "eqq", expected one of: eq, ne, in',
    }
    assert check(http, expression="")["error"]["column"] == 1
    assert check(http, expression="x" * 5000)["error"]["column"] == 4097


def test_text_becomes_rows_and_rows_text(http: httpx.Client) -> None:
    text = '(http.host eq "a.example.com" and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))'
    rows = check(http, expression=text)["rows"]
    assert rows == {
        "match": "all",
        "groups": [
            [{"field": "http.host", "operator": "eq", "values": ["a.example.com"]}],
            [
                {"field": "cf.tls_client_auth.cert_verified", "operator": "false", "values": []},
                {"field": "cf.tls_client_auth.cert_revoked", "operator": "true", "values": []},
            ],
        ],
    }
    written = check(http, rows=rows)
    assert written["expression"] == (
        'http.host eq "a.example.com" and (not cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_revoked)'
    )
    assert written["rows"] == rows
    assert check(http, expression="true")["rows"] is None


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ({"field": 'http.host eq "a" or true', "operator": "eq", "values": ["x"]}, "none of the language"),
        ({"field": "http.host", "operator": "matches", "values": ["x"]}, "eq, ne, in, not in"),
        ({"field": "http.host", "operator": "true", "values": []}, "eq, ne, in, not in"),
        ({"field": "http.host", "operator": "eq", "values": []}, "one value"),
        ({"field": "http.host", "operator": "eq", "values": ["a", "b"]}, "one value"),
        ({"field": "http.host", "operator": "in", "values": []}, "1 to 1000 values"),
        ({"field": "cf.tls_client_auth.cert_verified", "operator": "true", "values": ["x"]}, "no value"),
        ({"field": "http.host", "operator": "eq", "values": ["a\0"]}, "null"),
    ],
)
def test_rows_that_the_language_does_not_have_are_refused(http: httpx.Client, row: dict[str, Any], part: str) -> None:
    answer = http.post("/check", json={"rows": {"match": "all", "groups": [[row]]}})
    assert answer.status_code == 400
    assert part in answer.json()["errors"][0]["message"]


def test_either_text_or_rows_are_given(http: httpx.Client) -> None:
    for body in ({}, {"expression": "true", "rows": {"match": "all", "groups": [[]]}}, {"rows": {"match": "all", "groups": []}}):
        assert http.post("/check", json=body).status_code == 400
