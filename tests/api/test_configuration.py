"""Session identifiers over REST: set and read with the official SDK, proposed from traffic, and carried to gateways."""

from __future__ import annotations

import json
from typing import Any

import cloudflare
import pytest
from sqlalchemy.orm import Session

from conftest import LiveControlPlane
from hauberk import _native
from hauberk.session_identifier import SessionIdentifier
from hauberk.snapshot.document import encode
from hauberk.storage.enforcement import read_enforced
from hauberk.storage.session_identifiers import enforced_session_identifiers
from traffic_fakes import HOST, FakeDiscovery, FakeTraffic

CONFIGURATION = "d5c0b1a2-0000-4000-8000-0123456789ab"
THREE: Any = [
    {"type": "header", "name": "X-Tenant"},
    {"type": "cookie", "name": "login"},
    {"type": "jwt", "name": f"{CONFIGURATION}:$.user.id"},
]


def test_identifiers_are_set_read_and_cleared_in_their_order(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    configurations = sdk.api_gateway.configurations
    assert configurations.get(zone_id=zone_id).auth_id_characteristics == []
    answer = configurations.update(zone_id=zone_id, auth_id_characteristics=THREE)
    assert [item.to_dict() for item in answer.auth_id_characteristics] == THREE
    assert configurations.get(zone_id=zone_id).to_dict() == answer.to_dict()
    configurations.update(zone_id=zone_id, auth_id_characteristics=THREE[::-1])
    assert [item.to_dict() for item in configurations.get(zone_id=zone_id).auth_id_characteristics] == THREE[::-1]
    configurations.update(zone_id=zone_id, auth_id_characteristics=[])
    assert configurations.get(zone_id=zone_id).auth_id_characteristics == []


def test_normalize_writes_and_reads_the_spelling_that_is_compared(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    configurations = sdk.api_gateway.configurations
    configurations.update(zone_id=zone_id, auth_id_characteristics=THREE)
    normal = [item.name for item in configurations.get(zone_id=zone_id, normalize=True).auth_id_characteristics]
    assert normal == ["x-tenant", "login", f"{CONFIGURATION}:$['user']['id']"]
    assert configurations.get(zone_id=zone_id).auth_id_characteristics[0].name == "X-Tenant"
    configurations.update(zone_id=zone_id, auth_id_characteristics=THREE, normalize=True)
    assert [item.name for item in configurations.get(zone_id=zone_id).auth_id_characteristics] == normal


@pytest.mark.parametrize(
    ("characteristics", "part"),
    [
        ([{"type": "header", "name": f"x-{n}"} for n in range(11)], "at most 10"),
        ([{"type": "header", "name": "X-A"}, {"type": "header", "name": "x-a"}], "unique"),
        ([{"type": "jwt", "name": f"{CONFIGURATION}:$.a"}, {"type": "jwt", "name": f"{CONFIGURATION}:$['a']"}], "unique"),
        ([{"type": "query", "name": "a"}], "header"),
        ([{"type": "header", "name": ""}], "at least 1"),
        ([{"type": "header", "name": "x" * 129}], "128"),
        ([{"type": "cookie", "name": "a b"}], "cookie"),
        ([{"type": "jwt", "name": "$.sub"}], "token configuration"),
        ([{"type": "jwt", "name": f"{CONFIGURATION}:$..sub"}], "several"),
        ([{"type": "header"}], "required"),
        ([{"type": "header", "name": "a", "more": 1}], "Extra"),
        ([{"type": "header", "name": "\ud800"}], "name"),
        (None, "list"),
    ],
)
def test_bad_identifiers_are_refused_and_change_nothing(control_plane: LiveControlPlane, characteristics: Any, part: str) -> None:
    with control_plane.client() as http:
        url = f"{control_plane.zone}/api_gateway/configuration"
        http.put(url, json={"auth_id_characteristics": THREE[:1]})
        content = json.dumps({"auth_id_characteristics": characteristics})
        answer = http.put(url, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert part in answer.json()["errors"][0]["message"]
        assert http.get(url).json()["result"]["auth_id_characteristics"] == THREE[:1]


def test_one_that_by_its_name_is_none_is_set_and_said(control_plane: LiveControlPlane) -> None:
    body = {"auth_id_characteristics": [{"type": "cookie", "name": "_ga"}, {"type": "header", "name": "authorization"}]}
    with control_plane.client() as http:
        answer = http.put(f"{control_plane.zone}/api_gateway/configuration", json=body).json()
    assert answer["result"] == body
    (message,) = answer["messages"]
    assert message["code"] == 310
    assert "analytics" in message["message"]


def test_setting_what_is_set_makes_no_new_snapshot(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        url = f"{control_plane.zone}/api_gateway/configuration"
        before = control_plane.plane.revision()
        http.put(url, json={"auth_id_characteristics": THREE})
        assert control_plane.plane.revision() == before + 1
        http.put(url, json={"auth_id_characteristics": THREE})
        assert control_plane.plane.revision() == before + 1


def test_traffic_proposes_and_the_owner_is_warned_of_what_is_set(control_plane: LiveControlPlane) -> None:
    sample = [
        {
            "host": HOST,
            "status": 200,
            "method": "GET",
            "client": f"c{n % 9}",
            "request_headers": [["Authorization", f"Bearer h:{n % 9}"], ["Cookie", f"_ga=G{n % 9}"]],
        }
        for n in range(300)
    ]
    inventory = control_plane.plane.inventory
    inventory.engine, inventory.source = FakeDiscovery, FakeTraffic(sample=sample)
    url = f"/hauberk/v1/zones/{control_plane.zone_id}/session-identifiers/proposal"
    with control_plane.client() as http:
        http.put(f"{control_plane.zone}/api_gateway/configuration", json={"auth_id_characteristics": [{"type": "cookie", "name": "_ga"}]})
        proposal = http.get(url).json()["result"]
        assert http.get(url, params={"limit": 120}).json()["result"]["transactions"] == 120
        assert http.get(url, params={"limit": 0}).status_code == 400
    assert proposal["recommended"] == {"type": "header", "name": "authorization"}
    assert proposal["present"] == [{"type": "cookie", "name": "_ga"}]
    assert len(proposal["warnings"]) == 1
    best = proposal["candidates"][0]
    assert (best["share"], best["distinct_values"], best["clients"], best["verdict"]) == (1.0, 9, 9, "good")


def test_identifiers_are_tried_before_they_are_set(control_plane: LiveControlPlane) -> None:
    sample = [
        {"host": HOST, "status": 200, "method": "GET", "client": "c", "request_headers": [["X-Tenant", f"t{n % 5}"]] if n < 150 else []}
        for n in range(200)
    ]
    inventory = control_plane.plane.inventory
    inventory.engine, inventory.source = FakeDiscovery, FakeTraffic(sample=sample)
    url = f"/hauberk/v1/zones/{control_plane.zone_id}/session-identifiers/preview"
    with control_plane.client() as http:
        seen = http.get(url, params={"identifier": "header:X-Tenant"}).json()["result"]
        assert [http.get(url, params={"identifier": wrong}).status_code for wrong in ("header:no name", "other:x", "x")] == [400] * 3
        assert http.get(url).status_code == 400
        assert http.get(f"{control_plane.zone}/api_gateway/configuration").json()["result"]["auth_id_characteristics"] == []
    assert (seen["share"], seen["sessions"]) == (0.75, 5)
    assert seen["identifiers"] == [{"type": "header", "name": "x-tenant", "requests": 150, "share": 0.75}]


def _set(session: Session, zone_id: str) -> dict[str, Any]:
    from hauberk.storage.session_identifiers import set_session_identifiers  # noqa: PLC0415 - near its use

    set_session_identifiers(session, zone_id, [SessionIdentifier(item["type"], item["name"]) for item in THREE])
    return enforced_session_identifiers(session, zone_id)


def test_the_snapshot_names_them_only_where_there_are_some(control_plane: LiveControlPlane) -> None:
    with control_plane.plane.database.read() as session:
        assert enforced_session_identifiers(session, control_plane.zone_id) == {}
        assert _set(session, control_plane.zone_id) == {
            "session_identifiers": [
                {"type": "header", "name": "x-tenant"},
                {"type": "cookie", "name": "login"},
                {"type": "jwt", "name": f"{CONFIGURATION}:$['user']['id']"},
            ]
        }


def test_gateways_take_them(control_plane: LiveControlPlane) -> None:
    with control_plane.plane.database.read() as session:
        part = _set(session, control_plane.zone_id)
        content = read_enforced(session)
    content["zones"] = [zone | part for zone in content["zones"]]
    document = {"created_at": "2026-01-01T00:00:00Z", "settings": control_plane.plane.settings.limits.model_dump(mode="json"), **content}
    _native.Gateway(https=[], http=[]).apply_snapshot(encode(1, document).data)
