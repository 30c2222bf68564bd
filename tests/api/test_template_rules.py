"""The owner's rules on path templates over REST."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import LiveControlPlane
from traffic_fakes import HOST

BASE = {"host": HOST, "method": "GET"}


def url(live: LiveControlPlane, *more: str) -> str:
    return "/".join([f"/hauberk/v1/zones/{live.zone_id}/discovery/templates", *more])


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"kind": "pin", "endpoint": "/users/{id}"}, {"kind": "pin", "endpoint": "/users/{var1}", "segment": None}),
        ({"kind": "pin", "endpoint": "/users/me", "method": None}, {"kind": "pin", "endpoint": "/users/me", "method": None}),
        ({"kind": "split", "endpoint": "/{a}/items", "segment": 0}, {"kind": "split", "endpoint": "/{var1}/items", "segment": 0}),
        ({"kind": "merge", "endpoints": ["/s/berlin", "/s/paris"]}, {"kind": "pin", "endpoint": "/s/{var1}"}),
        ({"kind": "rename", "endpoint": "/f/{x}", "to": "/f/{name}.json"}, {"kind": "pin", "endpoint": "/f/{var1}.json"}),
        ({"kind": "pin", "endpoint": "/a", "host": "{t}.example.com"}, {"host": "{hostVar1}.example.com"}),
    ],
)
def test_a_rule_is_kept_once_shown_and_deleted(control_plane: LiveControlPlane, body: dict[str, Any], kept: dict[str, Any]) -> None:
    with control_plane.client() as http:
        made = http.post(url(control_plane), json=BASE | body).json()["result"]
        assert {name: made[name] for name in kept} == kept
        assert http.post(url(control_plane), json=BASE | body).json()["result"] == made, "the same again is the same rule"
        assert http.get(url(control_plane)).json()["result"] == [made]
        assert http.get(url(control_plane, made["id"])).json()["result"] == made
        assert http.get(url(control_plane), params={"page": 2}).json()["result"] == []
        assert http.delete(url(control_plane, made["id"])).json()["result"] == made
        assert http.delete(url(control_plane, made["id"])).status_code == 404
        assert http.get(url(control_plane)).json()["result"] == []


def test_renaming_takes_the_rules_on_the_first_template_away(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        http.post(url(control_plane), json=BASE | {"kind": "pin", "endpoint": "/f/{x}"})
        other = http.post(url(control_plane), json=BASE | {"kind": "pin", "endpoint": "/f/{x}", "method": "PUT"}).json()["result"]
        made = http.post(url(control_plane), json=BASE | {"kind": "rename", "endpoint": "/f/{x}", "to": "/f/{x}.json"}).json()["result"]
        assert http.get(url(control_plane)).json()["result"] == [other, made]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"kind": "guess", "endpoint": "/a"}, "pin"),
        ({"kind": "pin"}, "endpoint"),
        ({"kind": "pin", "endpoint": "/a", "segment": 0}, "nothing else"),
        ({"kind": "pin", "endpoint": "a"}, "begin with"),
        ({"kind": "pin", "endpoint": "/a", "host": "api.example.org"}, "at or below the zone"),
        ({"kind": "pin", "endpoint": "/a", "method": "BREW"}, "one of"),
        ({"kind": "split", "endpoint": "/{a}/items"}, "segment"),
        ({"kind": "split", "endpoint": "/{a}/items", "segment": 1}, "variables at 0"),
        ({"kind": "split", "endpoint": "/items", "segment": 0}, "has none"),
        ({"kind": "split", "endpoint": "/{a}", "segment": 7}, "variables at 0"),
        ({"kind": "split", "endpoint": "/{a}", "segment": -1}, "greater than"),
        ({"kind": "split", "endpoint": "/{a}", "segment": "0"}, "integer"),
        ({"kind": "merge", "endpoints": ["/a"]}, "at least 2"),
        ({"kind": "merge", "endpoints": ["/a", "/a"]}, "differ"),
        ({"kind": "merge", "endpoints": ["/a", "/a/b"]}, "same number"),
        ({"kind": "rename", "endpoint": "/f/{x}", "to": "/f/{y}"}, "same template"),
        ({"kind": "rename", "endpoint": "/f/{x}", "to": "/g/{y}/z"}, "as many segments"),
        ({"kind": "pin", "endpoint": "/a", "more": 1}, "Extra"),
    ],
)
def test_bad_rules_are_refused_with_their_reason(control_plane: LiveControlPlane, body: dict[str, Any], part: str) -> None:
    with control_plane.client() as http:
        answer = http.post(url(control_plane), json=BASE | body)
        assert answer.status_code == 400
        assert part in answer.json()["errors"][0]["message"]
        assert http.get(url(control_plane)).json()["result"] == []


@pytest.mark.parametrize("id_", ["nonsense", "0" * 32, "a%00b"])
def test_unknown_rules_are_not_found(control_plane: LiveControlPlane, id_: str) -> None:
    with control_plane.client() as http:
        for method in ("GET", "DELETE"):
            assert http.request(method, url(control_plane, id_)).status_code == 404


def test_rules_of_another_zone_are_not_seen(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        made = http.post(url(control_plane), json=BASE | {"kind": "pin", "endpoint": "/a"}).json()["result"]
        other = http.post("/hauberk/v1/zones", json={"name": "example.org"}).json()["result"]["id"]
        assert http.delete(f"/hauberk/v1/zones/{other}/discovery/templates/{made['id']}").status_code == 404
        assert len(http.get(url(control_plane)).json()["result"]) == 1
