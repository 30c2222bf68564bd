"""A site whose callers and people have put all they could into what pages show: markup, quotes, control and turning characters."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from dashboard.conftest import HOST_NAME, Site

MARKUP = "<script>window.pwned=1;alert(1)</script>"
ATTRIBUTE = "\"'><img src=x onerror=window.pwned=2>"
TEMPLATE = "{{7*7}}${7*7}"
TURNED = "a\u202egnp.\u2066b"
CONTROL = "c\x1b[31m\x07d"
EVERYTHING = (MARKUP, ATTRIBUTE, TEMPLATE, TURNED, CONTROL)

# What must not stand in a page's source: markup as it was sent, and characters that turn or hide what follows. Fields alone hold
# those as they are, since they send back what they were given.
RAW = re.compile("<script>window|<img src=x|[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<![0-9])49\\$\\{")
FIELDS = re.compile(r' value="[^"]*"|(?<=<textarea)[^>]*>[^<]*')


def fill(site: Site) -> None:
    """Put it everywhere: recorded traffic, events, certificates, schemas, rules, tokens, gateways, hosts."""
    assert site.plane.traffic.import_rows(_rows()) > 0
    _by_people(site)
    site.plane.inventory.settings = site.plane.inventory.settings.model_copy(update={"min_requests": 5, "min_score": 0.0})
    site.plane.inventory.refresh(site.zone_id)
    found = _get(site, site.v4("api_gateway/discovery/operations"), per_page=100)
    wanted = [{name: one[name] for name in ("method", "host", "endpoint")} for one in found[: len(found) // 2]]
    for one in [*wanted, {"method": "GET", "host": HOST_NAME, "endpoint": "/items/{id}"}]:
        # Some of it is refused, which is an answer, too.
        assert site.rest.post(site.v4("api_gateway/operations/item"), json=one).status_code in {200, 400}
    site.plane.learning.settings = site.plane.learning.settings.model_copy(update={"min_requests": 10, "held_back": False})
    site.plane.learning.run(site.zone_id)
    learned = _get(site, site.own("learning/operations"), per_page=100)
    ids = [one["operation_id"] for one in learned if one["state"] == "schema_learned"]
    assert ids
    site.rest.post(site.own("learning/apply"), json={"operation_ids": ids, "mitigation_action": "log"}).raise_for_status()
    _events(site, [one["operation_id"] for one in learned])


def _get(site: Site, path: str, **query: Any) -> Any:
    return site.rest.get(path, params=query).raise_for_status().json()["result"]


def _rows() -> Iterator[bytes]:
    """Requests as a gateway records them; names and values are the caller's."""
    now = datetime.now(UTC) - timedelta(hours=2)
    paths = ["/items/17", *(f"/{quote(text)}/list" for text in EVERYTHING), *(f"/{text}/raw" for text in (MARKUP, ATTRIBUTE, TURNED))]
    for number in range(60 * len(paths)):
        path, text = paths[number % len(paths)], EVERYTHING[number % len(EVERYTHING)]
        query = f"?{quote(text)}={number}" if number % 3 else "?page=1"
        body = {text: number, "n": number, "nested": {MARKUP: [{TURNED: "x"}]}}
        yield json.dumps(
            {
                "host": HOST_NAME if number % 7 else f"{'x' * 3}.example.com",
                "method": "POST" if number % 2 else "GET",
                "url": f"https://{HOST_NAME}{path}{query}",
                "path": path,
                "status": 200,
                "time": (now + timedelta(seconds=number)).isoformat().replace("+00:00", "Z"),
                "client": f"c:{number % 40:012x}",
                "session": f"s:{number % 40:012x}",
                "request_headers": [["content-type", "application/json"], [text, str(number % 40)], [f"cookie-{MARKUP}", "1"]],
                "response_headers": [["content-type", "application/json"]],
                "response_content_type": "application/json",
                "request_body": json.dumps(body) if number % 2 else None,
                "score": 0.9,
                "weight": 1,
            }
        ).encode()


def _by_people(site: Site) -> None:
    """What people name: it comes from other people's requests as well, such as a CSR."""
    for text in (MARKUP, ATTRIBUTE, TEMPLATE, TURNED):
        subject = {"common_name": text[:60], "organization": text[:60], "location": text}
        generated = {"subject": subject, "validity_days": 9}
        site.rest.post(site.own("client_certificates/generate"), json=generated)
        site.rest.post("/hauberk/v1/tokens", json={"name": text, "scope": "read", "email": text})
        rule = {"action": "log", "description": text, "expression": f'http.request.uri.path eq "/{len(text)}"'}
        phase = site.v4("rulesets/phases/http_request_firewall_custom/entrypoint")
        present = site.rest.get(phase).json().get("result") or {"rules": []}
        rules = [{name: one[name] for name in ("id", "action", "description", "expression")} for one in present.get("rules", [])]
        site.rest.put(phase, json={"rules": [*rules, rule]}).raise_for_status()
        document = {
            "openapi": "3.0.3",
            "info": {"title": text, "version": text},
            "servers": [{"url": f"https://{HOST_NAME}"}],
            "paths": {f"/uploaded/{quote(text)}": {"get": {"summary": text, "responses": {"200": {"description": text}}}}},
        }
        schema = {"kind": "openapi_v3", "name": text, "source": json.dumps(document), "validation_enabled": True}
        site.rest.post(site.v4("schema_validation/schemas"), json=schema)
    gateway_token = (site.plane.settings.state_dir / "gateway-token").read_text().strip()
    heartbeat = {
        "name": MARKUP,
        "version": 1,
        "refused_version": 10**6,
        "refused_reason": ATTRIBUTE,
        "started_at": datetime.now(UTC).isoformat(),
    }
    headers = {"Authorization": f"Bearer {gateway_token}"}
    site.rest.put("/hauberk/v1/gateways/strange", json=heartbeat, headers=headers).raise_for_status()


def _events(site: Site, operation_ids: list[str]) -> None:
    events = []
    for number, text in enumerate(EVERYTHING * 4):
        violation = {"location": "query", "target": text, "error_class": text[:40], "error_detail": text[:40], "rule": f"#/{text}"}
        events.append(
            {
                "id": uuid.uuid4().hex,
                "occurred_at": (datetime.now(UTC) - timedelta(minutes=number)).isoformat(),
                "request_id": uuid.uuid4().hex,
                "zone_id": site.zone_id,
                "host": HOST_NAME if number % 2 else text,
                "method": text[:30] if number % 3 == 0 else "GET",
                "path": f"/{text}",
                "operation_id": operation_ids[number % len(operation_ids)],
                "action": ("block", "log")[number % 2],
                "source": "apiShieldSchemaValidation" if number % 4 else text[:30],
                "rule_id": None,
                "reason": text[:40],
                "violation": violation,
                "violations": [violation],
                "status": 403,
                "client_certificate": {
                    "presented": True,
                    "verified": False,
                    "revoked": False,
                    "serial_number": "01",
                    "fingerprint_sha256": "ab" * 32,
                    "subject_dn": text,
                    "common_name": text,
                },
                "client_address": text,
            }
        )
    # As a gateway of before wrote them.
    for old in events[::5]:
        del old["reason"]
    gateway_token = (site.plane.settings.state_dir / "gateway-token").read_text().strip()
    answer = site.rest.post("/hauberk/v1/events", json={"events": events}, headers={"Authorization": f"Bearer {gateway_token}"})
    assert answer.raise_for_status().json()["result"]["stored"] == len(events)
