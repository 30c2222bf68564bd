"""The REST reference: every route is on it, and nothing of it comes from another host."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from dashboard.conftest import Site, Visit
from hauberk.dashboard.openapi import example, sections, type_of


def test_every_route_is_told_without_signing_in(site: Site) -> None:
    answer = httpx.get(f"{site.url}/docs")
    assert answer.status_code == 200
    document = httpx.get(f"{site.url}/openapi.json").json()
    text = re.sub(r"<wbr>|</?var>", "", answer.text)
    for path, methods in document["paths"].items():
        assert f'<code class="path">{path}</code>' in text
        for method in methods:
            assert f'id="{re.sub(r"[^a-zA-Z0-9_]+", "-", method + path).strip("-")}"' in text
    assert re.search(r'(?:src|href|action)="(?!/|#)', answer.text) is None
    assert httpx.get(f"{site.url}/redoc").status_code == 404


def test_its_examples_name_the_host_that_was_asked(site: Site) -> None:
    host = "hauberk.example.com:8443"
    text = httpx.get(f"{site.url}/docs", headers={"Host": host}).text
    assert f"http://{host}/hauberk/v1/users" in text
    hostile = httpx.get(f"{site.url}/docs", headers={"Host": 'x"><script>alert(1)</script>'})
    assert "<script>alert" not in hostile.text


SCHEMAS: dict[str, Any] = {
    "Tree": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    }
}


@pytest.mark.parametrize(
    ("schema", "told", "shown"),
    [
        ({"type": "string"}, "string", "…"),
        ({"type": "string", "format": "date-time"}, "string (date-time)", "…"),
        ({"anyOf": [{"type": "integer", "minimum": 3.0}, {"type": "null"}]}, "integer or null", 3),
        ({"enum": ["a", "b"]}, '"a" | "b"', "a"),
        ({"const": 5}, "5", 5),
        ({"type": "array", "items": {"type": "boolean"}}, "list of boolean", [True]),
        ({"$ref": "#/components/schemas/Tree"}, "object", {"name": "…"}),
        ({"$ref": "#/components/schemas/Missing"}, "any", "…"),
        ({}, "any", "…"),
    ],
)
def test_schemas_in_a_few_words(schema: dict[str, Any], told: str, shown: Any) -> None:
    assert type_of(schema, SCHEMAS) == told
    assert example(schema, SCHEMAS) == shown


def test_a_schema_that_refers_to_itself_ends() -> None:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}
    document = {"paths": {"/a": {"post": {"requestBody": body}}}, "components": {"schemas": SCHEMAS}}
    operation = sections(document)[0].operations[0]
    assert [member.name for member in operation.body][:4] == ["name", "below", "below[].name", "below[].below"]
    assert len(operation.body) < 10


def test_the_reference_in_a_browser(visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.someone()
    page.goto(f"{visit.site.url}/docs")
    page.get_by_role("link", name="Users", exact=True).click()
    page.locator("summary", has_text="Add a user").click()
    expect(page.locator("details[open]").get_by_text("12 to 1,024 characters, any characters")).to_be_visible()
    accessible(page)
