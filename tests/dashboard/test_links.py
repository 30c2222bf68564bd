"""Everybody's way through the pages: no link leads nowhere, and a viewer meets no button that would be refused."""

from __future__ import annotations

import json
from collections import deque
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from dashboard.conftest import HOST_NAME, Site
from dashboard.seen_page import Seen

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Sensors", "version": "1"},
    "servers": [{"url": f"https://{HOST_NAME}"}],
    "paths": {
        "/temps": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"type": "object", "required": ["t"], "properties": {"t": {"type": "number"}}}}
                    }
                },
                "responses": {"200": {"description": "ok"}},
            }
        },
        "/temps/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "ok"}},
            }
        },
    },
}
MOST_PAGES = 120


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    """A zone with something on each page that REST can put there."""
    rest = site.rest
    calls = [
        ("POST", site.own("client_certificates/generate"), {"subject": {"common_name": "device-1"}, "validity_days": 30}),
        (
            "POST",
            site.v4("schema_validation/schemas"),
            {"kind": "openapi_v3", "name": "sensors", "source": json.dumps(DOCUMENT), "validation_enabled": True},
        ),
        (
            "PUT",
            site.v4("rulesets/phases/http_request_firewall_custom/entrypoint"),
            {"rules": [{"action": "block", "expression": 'http.host eq "x.example.com"', "description": "No x"}]},
        ),
        ("POST", site.v4("api_gateway/operations"), [{"method": "GET", "host": HOST_NAME, "endpoint": "/temps/{id}"}]),
        ("POST", "/hauberk/v1/users", {"name": "ada", "password": "correct horse battery", "role": "viewer"}),
    ]
    for method, path, body in calls:
        rest.request(method, path, json=body).raise_for_status()
    return site


def way(client: httpx.Client) -> dict[str, Seen]:
    """Follow all links from the first page on, each address without its query once; give the pages by path."""
    waiting, pages = deque(["/"]), dict[str, Seen]()
    known, dead = {"/"}, []
    while waiting and len(pages) < MOST_PAGES:
        address = waiting.popleft()
        answer = client.get(address)
        if answer.status_code != 200:
            dead.append((address, answer.status_code))
            continue
        if "text/html" not in answer.headers["content-type"]:
            continue
        seen = pages[address] = Seen(answer.text)
        for link in seen.links:
            path = urlsplit(urljoin(str(answer.url), link)).path
            whole = urljoin(str(answer.url), link)
            assert whole.startswith(str(client.base_url)), f"{address} leads to another host: {link}"
            if path not in known:
                known.add(path)
                waiting.append(whole.removeprefix(str(client.base_url).rstrip("/")).partition("#")[0])
    assert dead == []
    return pages


def test_no_link_leads_nowhere(filled: Site) -> None:
    with filled.signed_in() as client:
        pages = way(client)
    assert len(pages) > 15


def test_a_viewer_meets_no_button_that_would_be_refused(filled: Site) -> None:
    with filled.signed_in(filled.new_token("read")) as client:
        pages = way(client)
    assert len(pages) > 10
    assert {address: seen.changing for address, seen in pages.items() if seen.changing} == {}
