"""`hauberk mtls` and `hauberk host fallthrough`: the rules that commands keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


EXPRESSION = '(http.host eq "{}" and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))'


def rules(control_plane: Any) -> list[dict[str, Any]]:
    with control_plane.client() as client:
        path = f"/client/v4/zones/{control_plane.zone_id}/rulesets/phases/http_request_firewall_custom/entrypoint"
        answer = client.get(path)
        return list(answer.json()["result"]["rules"]) if answer.status_code == 200 else []


def add_own_rule(control_plane: Any) -> None:
    path = f"/client/v4/zones/{control_plane.zone_id}/rulesets"
    own = {"expression": 'http.request.uri.path eq "/admin"', "action": "block", "description": "mine"}
    with control_plane.client() as client:
        entrypoint = client.get(f"{path}/phases/http_request_firewall_custom/entrypoint")
        if entrypoint.status_code == 404:
            client.put(f"{path}/phases/http_request_firewall_custom/entrypoint", json={"rules": [own]}).raise_for_status()
        else:
            client.post(f"{path}/{entrypoint.json()['result']['id']}/rules", json=own).raise_for_status()


def test_require_makes_association_and_rule(hauberk: Run, control_plane: Any) -> None:
    ran = hauberk("mtls", "require", "api.example.com", "--json")
    assert ran.json["associated"] == ["api.example.com"]
    [rule] = rules(control_plane)
    assert (rule["expression"], rule["action"], rule["enabled"]) == (EXPRESSION.format("api.example.com"), "block", True)


def test_requiring_only_logs_or_is_for_some_requests(hauberk: Run, control_plane: Any) -> None:
    ran = hauberk("mtls", "require", "api.example.com", "--log", "--method", "post", "--path", "/a", "--path", "/b")
    assert "now logs callers without a client certificate that is verified and not revoked for these requests" in ran.err
    [rule] = rules(control_plane)
    assert rule["action"] == "log"
    assert 'http.request.method eq "POST" and http.request.uri.path in {"/a" "/b"}' in rule["expression"]
    [row] = hauberk("mtls", "show", "--json").json
    assert (row["demand"], row["action"], row["required"]) == ("part", "log", False)


def test_requiring_again_changes_nothing(hauberk: Run, control_plane: Any) -> None:
    hauberk("mtls", "require", "api.example.com")
    hauberk("host", "add", "shop.example.com", "--upstream", "http://127.0.0.1:9")
    hauberk("mtls", "require", "shop.example.com")
    before, version = rules(control_plane), control_plane.plane.revision()
    hauberk("mtls", "require", "api.example.com")
    hauberk("mtls", "require", "shop.example.com")
    assert rules(control_plane) == before
    assert control_plane.plane.revision() == version


def test_the_rule_comes_before_what_people_wrote_and_leaves_that_alone(hauberk: Run, control_plane: Any) -> None:
    add_own_rule(control_plane)
    hauberk("mtls", "require", "api.example.com")
    first, second = rules(control_plane)
    assert first["ref"] == "hauberk_mtls_api.example.com"
    assert second["description"] == "mine"


def test_a_rule_that_was_weakened_is_put_right(hauberk: Run, control_plane: Any) -> None:
    hauberk("mtls", "require", "api.example.com")
    path = f"/client/v4/zones/{control_plane.zone_id}/rulesets"
    with control_plane.client() as client:
        ruleset = client.get(f"{path}/phases/http_request_firewall_custom/entrypoint").json()["result"]
        client.patch(f"{path}/{ruleset['id']}/rules/{ruleset['rules'][0]['id']}", json={"enabled": False}).raise_for_status()
    assert hauberk("mtls", "show", "--json").json[0]["required"] is False
    hauberk("mtls", "require", "api.example.com")
    [rule] = rules(control_plane)
    assert rule["enabled"] is True
    assert rule["id"] == ruleset["rules"][0]["id"]


def test_a_host_that_nobody_serves_is_pointed_out(hauberk: Run) -> None:
    assert "warning: no gateway serves 'apl.example.com'" in hauberk("mtls", "require", "apl.example.com").err
    assert "warning" not in hauberk("mtls", "require", "api.example.com").err
    hauberk("host", "add", "*.example.com", "--upstream", "http://127.0.0.1:9")
    assert "warning: no gateway" not in hauberk("mtls", "require", "other.example.com").err


def test_remove_takes_back_what_require_made(hauberk: Run, control_plane: Any) -> None:
    add_own_rule(control_plane)
    hauberk("mtls", "require", "api.example.com")
    hauberk("mtls", "remove", "api.example.com")
    assert [rule["description"] for rule in rules(control_plane)] == ["mine"]
    assert hauberk("mtls", "show", "--json").json == []
    assert "required no client certificate" in hauberk("mtls", "remove", "api.example.com").err


@pytest.mark.parametrize(("host", "said"), [("*.example.com", "wildcard"), ("not a host", "must be a host name"), ('a".com', "host name")])
def test_a_host_that_no_rule_can_name_is_refused(hauberk: Run, control_plane: Any, host: str, said: str) -> None:
    assert said in hauberk("mtls", "require", host, ok=False).err
    assert rules(control_plane) == []


def test_fallthrough_is_one_rule_after_the_others(hauberk: Run, control_plane: Any) -> None:
    hauberk("host", "fallthrough", "api.example.com", "log")
    hauberk("mtls", "require", "api.example.com")
    add_own_rule(control_plane)
    hauberk("host", "fallthrough", "api.example.com", "block")
    mtls, own, fallthrough = rules(control_plane)
    assert (mtls["ref"], own["description"]) == ("hauberk_mtls_api.example.com", "mine")
    assert (fallthrough["action"], fallthrough["expression"]) == (
        "block",
        '(http.host eq "api.example.com" and cf.api_gateway.fallthrough_detected)',
    )
    hauberk("host", "fallthrough", "api.example.com", "none")
    assert len(rules(control_plane)) == 2
    assert "as before" in hauberk("host", "fallthrough", "api.example.com", "none").err
