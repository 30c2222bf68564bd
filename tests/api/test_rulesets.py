"""Rules over REST: the entry point of the phase that is enforced, and each change of a rule."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudflare
import httpx
import pytest

from conftest import LiveControlPlane, serve_control_plane
from hauberk.storage.enforcement import read_enforced

PHASE = "http_request_firewall_custom"
MTLS = '(http.host in {"api.example.com"} and (not cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_revoked))'


def rule(method: str = "GET", action: str = "block", **members: Any) -> dict[str, Any]:
    parameters = {"action_parameters": {"ruleset": "current"}} if action == "skip" else {}
    return {"action": action, "expression": f'http.request.method eq "{method}"', **parameters, **members}


@pytest.fixture
def http(control_plane: LiveControlPlane) -> Iterator[httpx.Client]:
    with control_plane.client() as client:
        client.base_url = httpx.URL(f"{control_plane.zone}/rulesets/")
        yield client


@pytest.fixture
def four(http: httpx.Client) -> dict[str, Any]:
    """A ruleset of four rules, a to d."""
    answer = http.put(f"phases/{PHASE}/entrypoint", json={"rules": [rule(name, ref=name) for name in "abcd"]})
    assert answer.status_code == 200
    return dict(answer.json()["result"])


@pytest.fixture(scope="module")
def unchanged(first_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """One control plane with four rules for all that is refused: each test sees that nothing was changed."""
    folder = Path(shutil.copytree(first_state, tmp_path_factory.mktemp("unchanged") / "state"))
    with serve_control_plane(folder) as live, live.client() as client:
        client.base_url = httpx.URL(f"{live.zone}/rulesets/")
        client.put(f"phases/{PHASE}/entrypoint", json={"rules": [rule(name, ref=name) for name in "abcd"]})
        yield client


@pytest.fixture(scope="module")
def unchanged_four(unchanged: httpx.Client) -> dict[str, Any]:
    return dict(unchanged.get(f"phases/{PHASE}/entrypoint").json()["result"])


def order(ruleset: dict[str, Any]) -> str:
    return "".join(rule["ref"] for rule in ruleset["rules"])


def present(http: httpx.Client) -> dict[str, Any]:
    return dict(http.get(f"phases/{PHASE}/entrypoint").json()["result"])


def test_an_entrypoint_is_not_found_before_it_is_written_and_then_it_is(
    sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane
) -> None:
    zone_id = control_plane.zone_id
    with pytest.raises(cloudflare.NotFoundError, match="could not find entrypoint ruleset") as error:
        sdk.rulesets.phases.get(PHASE, zone_id=zone_id)
    assert error.value.errors[0].code == 10003
    assert list(sdk.rulesets.list(zone_id=zone_id)) == []
    rules: Any = [{"action": "block", "expression": MTLS, "description": "mTLS", "ref": "mtls"}, rule("OPTIONS", "skip")]
    # The SDK gives what a PUT answers as a plain dictionary, and what a GET answers as a model.
    written: Any = sdk.rulesets.phases.update(PHASE, zone_id=zone_id, name="custom", description="of the API", rules=rules)
    got = sdk.rulesets.phases.get(PHASE, zone_id=zone_id)
    assert (got.id, got.phase, got.kind, got.version) == (written["id"], PHASE, "zone", "1")
    assert (got.name, got.description) == ("custom", "of the API")
    block, skip = got.rules
    assert (block.action, block.expression, block.description, block.enabled) == ("block", MTLS, "mTLS", True)
    assert (block.ref, block.version, block.action_parameters) == ("mtls", "1", None)
    assert (skip.action, skip.ref) == ("skip", skip.id)
    assert skip.action_parameters
    assert skip.action_parameters.ruleset == "current"
    assert sdk.rulesets.get(got.id, zone_id=zone_id).to_dict() == got.to_dict()
    listed = list(sdk.rulesets.list(zone_id=zone_id))
    assert [(row.id, row.phase, row.version) for row in listed] == [(got.id, PHASE, "1")]


def test_what_is_written_is_what_gateways_enforce_in_order(
    control_plane: LiveControlPlane, http: httpx.Client, four: dict[str, Any]
) -> None:
    revision = control_plane.plane.revision()
    http.patch(f"{four['id']}/rules/{four['rules'][3]['id']}", json={"position": {"index": 1}, "enabled": False})
    assert control_plane.plane.revision() == revision + 1
    with control_plane.plane.database.read() as session:
        rules = read_enforced(session)["zones"][0]["rules"]
    assert [(rule["expression"][-3:], rule["enabled"]) for rule in rules] == [('"d"', False), ('"a"', True), ('"b"', True), ('"c"', True)]


@pytest.mark.both_databases
def test_a_put_keeps_the_ids_of_rules_it_names_and_counts_versions(http: httpx.Client, four: dict[str, Any]) -> None:
    a, b, c, d = four["rules"]
    new = [c, rule("changed", ref="a"), b | {"enabled": False}, rule("new")]
    put = http.put(f"phases/{PHASE}/entrypoint", json={"rules": new}).json()["result"]
    assert put["version"] == "2"
    assert [row["id"] for row in put["rules"]][:3] == [c["id"], a["id"], b["id"]]
    assert [row["version"] for row in put["rules"]] == ["1", "2", "2", "1"]
    assert put["rules"][3]["id"] not in {a["id"], b["id"], c["id"], d["id"]}
    assert present(http) == put
    same = http.put(put["id"], json=put).json()["result"]
    assert (same["version"], same["rules"]) == ("3", put["rules"])


def test_a_put_without_rules_keeps_them_and_with_none_takes_them_away(http: httpx.Client, four: dict[str, Any]) -> None:
    named = http.put(four["id"], json={"description": "other"}).json()["result"]
    assert (named["description"], named["rules"], named["version"]) == ("other", four["rules"], "2")
    assert http.put(four["id"], json={"rules": []}).json()["result"]["rules"] == []
    assert http.get(f"phases/{PHASE}/entrypoint").status_code == 200


@pytest.mark.parametrize(
    ("position", "wanted"),
    [
        (None, "abcdx"),
        ({"index": 1}, "xabcd"),
        ({"index": 3}, "abxcd"),
        ({"index": 5}, "abcdx"),
        ({"before": "a"}, "xabcd"),
        ({"before": "d"}, "abcxd"),
        ({"after": "a"}, "axbcd"),
        ({"after": "d"}, "abcdx"),
        ({"before": ""}, "xabcd"),
        ({"after": ""}, "abcdx"),
    ],
)
def test_a_rule_is_added_where_it_is_wanted(http: httpx.Client, four: dict[str, Any], position: dict[str, Any] | None, wanted: str) -> None:
    ids = {row["ref"]: row["id"] for row in four["rules"]}
    where = position and {name: ids.get(value, value) for name, value in position.items()}
    body = rule("x", ref="x") | ({"position": where} if where else {})
    result = http.post(f"{four['id']}/rules", json=body).json()["result"]
    assert order(result) == wanted
    assert result["version"] == "2"
    assert present(http) == result


@pytest.mark.parametrize(
    ("moved", "position", "wanted"),
    [
        ("a", {"index": 4}, "bcda"),
        ("d", {"index": 1}, "dabc"),
        ("b", {"index": 2}, "abcd"),
        ("a", {"after": "c"}, "bcad"),
        ("d", {"before": "b"}, "adbc"),
        ("c", {"before": ""}, "cabd"),
        ("a", {"after": ""}, "bcda"),
    ],
)
def test_a_rule_is_moved(http: httpx.Client, four: dict[str, Any], moved: str, position: dict[str, Any], wanted: str) -> None:
    ids = {row["ref"]: row["id"] for row in four["rules"]}
    where = {name: ids.get(value, value) for name, value in position.items()}
    result = http.patch(f"{four['id']}/rules/{ids[moved]}", json={"position": where}).json()["result"]
    assert order(result) == wanted
    assert {row["version"] for row in result["rules"]} == {"1"}, "a place is no part of a rule"
    assert present(http) == result


@pytest.mark.both_databases
def test_the_sdk_adds_edits_and_deletes_rules(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    sdk.rulesets.phases.update(PHASE, zone_id=zone_id, rules=[])
    ruleset = sdk.rulesets.phases.get(PHASE, zone_id=zone_id)
    added: Any = sdk.rulesets.rules.create(
        ruleset.id, zone_id=zone_id, action="log", expression=MTLS, description="watch", position={"index": 1}
    )
    assert (added["version"], len(added["rules"]), added["rules"][0]["action"]) == ("2", 1, "log")
    id_ = added["rules"][0]["id"]
    edited: Any = sdk.rulesets.rules.edit(id_, ruleset_id=ruleset.id, zone_id=zone_id, action="block", enabled=False)
    only = edited["rules"][0]
    assert (only["action"], only["enabled"], only["expression"], only["description"]) == ("block", False, MTLS, "watch")
    assert only["version"] == "2"
    deleted: Any = sdk.rulesets.rules.delete(id_, ruleset_id=ruleset.id, zone_id=zone_id)
    assert (deleted["version"], deleted["rules"]) == ("4", [])
    assert sdk.rulesets.delete(ruleset.id, zone_id=zone_id) is None
    with pytest.raises(cloudflare.NotFoundError):
        sdk.rulesets.get(ruleset.id, zone_id=zone_id)


def test_an_edit_to_and_from_skip_takes_its_parameters_along(http: httpx.Client, four: dict[str, Any]) -> None:
    url = f"{four['id']}/rules/{four['rules'][0]['id']}"
    skip = http.patch(url, json={"action": "skip", "action_parameters": {"ruleset": "current"}}).json()["result"]["rules"][0]
    assert (skip["action"], skip["action_parameters"]) == ("skip", {"ruleset": "current"})
    block = http.patch(url, json={"action": "block"}).json()["result"]["rules"][0]
    assert (block["action"], "action_parameters" in block) == ("block", False)


def test_a_dry_run_checks_and_changes_nothing(control_plane: LiveControlPlane, http: httpx.Client, four: dict[str, Any]) -> None:
    revision = control_plane.plane.revision()
    rules = f"{four['id']}/rules"
    for method, path, body in (
        ("PUT", f"phases/{PHASE}/entrypoint", {"rules": []}),
        ("PUT", four["id"], {"rules": []}),
        ("POST", rules, rule()),
        ("PATCH", f"{rules}/{four['rules'][0]['id']}", {"enabled": False}),
        ("DELETE", f"{rules}/{four['rules'][0]['id']}", None),
    ):
        answer = http.request(method, path, json=body, params={"dry_run": "true"})
        assert (answer.status_code, answer.json()["success"], answer.json()["result"]) == (200, True, None)
    assert http.delete(four["id"], params={"dry_run": "true"}).status_code == 204
    assert http.post(rules, json=rule(expression="nonsense"), params={"dry_run": "true"}).status_code == 400
    assert present(http) == four
    assert control_plane.plane.revision() == revision


@pytest.mark.both_databases
def test_a_change_made_for_an_older_version_is_refused(http: httpx.Client, four: dict[str, Any]) -> None:
    rules = f"{four['id']}/rules"
    assert http.patch(f"{rules}/{four['rules'][0]['id']}", json={"enabled": False}, params={"if_version": 1}).status_code == 200
    changed = present(http)
    for method, path, body in (
        ("PUT", f"phases/{PHASE}/entrypoint", {"rules": []}),
        ("PUT", four["id"], {"rules": []}),
        ("POST", rules, rule()),
        ("PATCH", f"{rules}/{four['rules'][0]['id']}", {"enabled": True}),
        ("DELETE", f"{rules}/{four['rules'][0]['id']}", None),
        ("DELETE", four["id"], None),
    ):
        answer = http.request(method, path, json=body, params={"if_version": 1})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, 1409)
        assert "version 2" in answer.json()["errors"][0]["message"]
    assert present(http) == changed
    assert http.put(four["id"], json={"rules": []}, params={"if_version": 2}).status_code == 200


def test_an_entrypoint_that_is_not_there_is_at_version_0(http: httpx.Client) -> None:
    path = f"phases/{PHASE}/entrypoint"
    assert http.put(path, json={"rules": []}, params={"if_version": 1}).status_code == 409
    assert http.get(path).status_code == 404
    assert http.put(path, json={"rules": []}, params={"if_version": 0}).json()["result"]["version"] == "1"


def test_a_thousand_rules_are_kept_and_one_more_is_refused(http: httpx.Client) -> None:
    rules = [rule(f"m{number}") for number in range(1001)]
    assert http.put(f"phases/{PHASE}/entrypoint", json={"rules": rules}).status_code == 400
    assert http.get(f"phases/{PHASE}/entrypoint").status_code == 404
    full = http.put(f"phases/{PHASE}/entrypoint", json={"rules": rules[:1000]}).json()["result"]
    assert len(full["rules"]) == 1000
    answer = http.post(f"{full['id']}/rules", json=rules[1000])
    assert answer.status_code == 400
    assert "1000 rules already" in answer.json()["errors"][0]["message"]
    assert present(http)["version"] == "1"


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ('http.host eqq "a"', "column 11"),
        ("", "at least 1"),
        ("http.host", "column"),
        ('http.hosts eq "a"', "column 1"),
        ('(http.host eq "a"', "column"),
        ("cf.tls_client_auth.cert_verified eq 1", "column"),
        ("(" * 5000, "column"),
        ("x" * 9000, "8192"),
        ('http.host eq "a\0"', "null"),
    ],
)
def test_an_expression_that_does_not_compile_is_refused_with_its_place(
    unchanged: httpx.Client, unchanged_four: dict[str, Any], expression: str, part: str
) -> None:
    bad = rule(expression=expression)
    for method, path, body, pointer in (
        ("PUT", f"phases/{PHASE}/entrypoint", {"rules": [rule(), bad]}, "/rules/1/expression"),
        ("POST", f"{unchanged_four['id']}/rules", bad, "/expression"),
        ("PATCH", f"{unchanged_four['id']}/rules/{unchanged_four['rules'][0]['id']}", {"expression": expression}, "/expression"),
    ):
        answer = unchanged.request(method, path, json=body)
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["source"]["pointer"]) == (400, pointer)
        assert part in error["message"]
    assert present(unchanged) == unchanged_four


BAD_RULES: list[tuple[dict[str, Any], str]] = [
    ({"action": "challenge"}, "block"),
    ({"action": None}, "block"),
    ({"action": "skip"}, "ruleset"),
    ({"action": "skip", "action_parameters": {"ruleset": "all"}}, "current"),
    ({"action": "skip", "action_parameters": {"phases": ["http_ratelimit"]}}, "not permitted"),
    ({"action_parameters": {"ruleset": "current"}}, "no action_parameters"),
    ({"action_parameters": {"response": {"status_code": 404, "content": "", "content_type": "text/plain"}}}, "not permitted"),
    ({"ratelimit": {"period": 10, "characteristics": ["ip.src"]}}, "not permitted"),
    ({"enabled": "yes"}, "bool"),
    ({"description": 7}, "string"),
    ({"description": "d" * 1025}, "1024"),
    ({"description": "a\0b"}, "null"),
    ({"ref": ""}, "at least 1"),
    ({"ref": "r" * 256}, "255"),
    ({"ref": "b"}, "ref 'b'"),
    ({"expression": 7}, "string"),
    ({"expression": None}, "string"),
    ({"position": {}}, "exactly one"),
    ({"position": {"index": 1, "before": ""}}, "exactly one"),
    ({"position": {"index": 0}}, "greater than or equal to 1"),
    ({"position": {"index": 6}}, "from 1 to 5"),
    ({"position": {"index": "1"}}, "integer"),
    ({"position": {"before": "0" * 32}}, "no other rule"),
    ({"position": {"after": "0" * 32}}, "no other rule"),
    ({"position": 1}, "position"),
    ({"colour": "red"}, "not permitted"),
]


@pytest.mark.parametrize(("change", "part"), BAD_RULES)
def test_bad_rules_are_refused_with_their_place_and_nothing_changes(
    unchanged: httpx.Client, unchanged_four: dict[str, Any], change: dict[str, Any], part: str
) -> None:
    answer = unchanged.post(f"{unchanged_four['id']}/rules", json=rule() | change)
    assert answer.status_code == 400
    assert any(part in error["message"] for error in answer.json()["errors"]), answer.json()["errors"]
    assert present(unchanged) == unchanged_four


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"rules": {}}, "list"),
        ({"rules": [7]}, "rules.0"),
        ({"rules": [rule(ref="x"), rule(ref="x")]}, "ref 'x'"),
        ({"kind": "root"}, "zone"),
        ({"phase": "http_ratelimit"}, "phase"),
        ({"name": ""}, "at least 1"),
        ({"rule": []}, "not permitted"),
        ([], "body"),
    ],
)
def test_bad_rulesets_are_refused_and_nothing_changes(
    unchanged: httpx.Client, unchanged_four: dict[str, Any], body: Any, part: str
) -> None:
    for path in (f"phases/{PHASE}/entrypoint", unchanged_four["id"]):
        answer = unchanged.put(path, json=body)
        assert answer.status_code == 400
        assert part in answer.json()["errors"][0]["message"]
    assert present(unchanged) == unchanged_four


def test_a_rule_named_twice_in_a_list_is_refused(http: httpx.Client, four: dict[str, Any]) -> None:
    a = four["rules"][0]
    answer = http.put(four["id"], json={"rules": [a, a | {"ref": "other"}]})
    assert (answer.status_code, answer.json()["errors"][0]["source"]["pointer"]) == (400, "/rules/1/id")
    assert present(http) == four


@pytest.mark.parametrize("phase", ["http_ratelimit", "http_request_transform", "nonsense", "a%00b"])
def test_other_phases_are_not_enforced_and_say_so(unchanged: httpx.Client, phase: str) -> None:
    got = unchanged.get(f"phases/{phase}/entrypoint")
    assert (got.status_code, got.json()["errors"][0]["code"]) == (404, 10003)
    put = unchanged.put(f"phases/{phase}/entrypoint", json={"rules": []})
    assert put.status_code == 400
    for answer in (got, put):
        assert PHASE in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("id_", ["0" * 32, "nonsense", "a%00b", "x" * 500])
def test_unknown_rulesets_rules_and_zones_are_not_found(
    control_plane: LiveControlPlane, http: httpx.Client, four: dict[str, Any], id_: str
) -> None:
    other = f"{control_plane.api}/zones/{'0' * 32}/rulesets"
    for method, url, body in (
        ("GET", id_, None),
        ("PUT", id_, {}),
        ("DELETE", id_, None),
        ("POST", f"{id_}/rules", rule()),
        ("PATCH", f"{four['id']}/rules/{id_}", {}),
        ("DELETE", f"{four['id']}/rules/{id_}", None),
        ("GET", other, None),
        ("GET", f"{other}/{four['id']}", None),
        ("PUT", f"{other}/phases/{PHASE}/entrypoint", {}),
        ("DELETE", f"{other}/{four['id']}/rules/{four['rules'][0]['id']}", None),
    ):
        answer = http.request(method, url, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003), (method, url)
    assert present(http) == four


def test_lists_of_rulesets_end(control_plane: LiveControlPlane, http: httpx.Client, four: dict[str, Any]) -> None:
    url = f"{control_plane.zone}/rulesets"
    assert [row["id"] for row in http.get(url, params={"per_page": 5}).json()["result"]] == [four["id"]]
    assert "rules" not in http.get(url).json()["result"][0]
    assert http.get(url, params={"page": 2}).json()["result"] == []


# A template's hosts, what they become, or why they are refused.
FALLTHROUGH: list[tuple[list[str], list[str] | None, str]] = [
    (["api.example.com"], ["api.example.com"], ""),
    (["API.example.com", "api.example.com", "b.example.com"], ["api.example.com", "b.example.com"], ""),
    (["{host}.example.com"], ["api.example.com"], ""),
    (["{host}.elsewhere.test"], None, "no host of the zone"),
    (["{a}.{b}.example.com"], None, "no host of the zone"),
    ([], None, "at least 1"),
    (["not a host"], None, "host name"),
    (['a" or http.host ne "'], None, "host name"),
    (["a.example.com"] * 101, None, "100"),
    ([f"{number}.{'x' * 60}.example.com" for number in range(100)], None, "at most 4096"),
]


@pytest.mark.parametrize(("hosts", "wanted", "part"), FALLTHROUGH)
def test_a_fallthrough_template_is_written_for_hosts(
    control_plane: LiveControlPlane, http: httpx.Client, hosts: list[str], wanted: list[str] | None, part: str
) -> None:
    answer = http.post(f"{control_plane.zone}/api_gateway/expression-template/fallthrough", json={"hosts": hosts})
    if wanted is None:
        assert answer.status_code == 400
        assert part in answer.json()["errors"][0]["message"]
        return
    template = answer.json()["result"]
    listed = " ".join(f'"{host}"' for host in wanted)
    assert template["expression"] == f"(cf.api_gateway.fallthrough_detected and http.host in {{{listed}}})"
    assert wanted[0] in template["title"]
    body = {"rules": [{"action": "log", "expression": template["expression"], "description": template["title"]}]}
    assert http.put(f"phases/{PHASE}/entrypoint", json=body).status_code == 200


def test_a_wildcard_host_cannot_be_listed_in_a_fallthrough_template(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    host = {"name": "*.example.com", "upstreams": ["http://127.0.0.1:9"]}
    assert http.post(f"{control_plane.base_url}/hauberk/v1/zones/{control_plane.zone_id}/hosts", json=host).status_code == 200
    url = f"{control_plane.zone}/api_gateway/expression-template/fallthrough"
    answer = http.post(url, json={"hosts": ["api.example.com", "{x}.example.com"]})
    assert (answer.status_code, answer.json()["errors"][0]["source"]["pointer"]) == (400, "/hosts/1")
    assert "wildcard" in answer.json()["errors"][0]["message"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_sdk_asks_for_a_fallthrough_template(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    template = sdk.api_gateway.expression_template.fallthrough.create(zone_id=control_plane.zone_id, hosts=["api.example.com"])
    assert template
    assert "fallthrough_detected" in template.expression
