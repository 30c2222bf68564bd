"""Hosts, tokens, events and status by the command line."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


def test_a_host_is_added_changed_shown_and_removed(hauberk: Run) -> None:
    added = hauberk("host", "add", "shop.example.com", "--upstream", "http://127.0.0.1:9001")
    assert "self-signed" in added.err
    hauberk("host", "add", "shop.example.com", "--upstream", "http://127.0.0.1:9002", "--upstream", "http://127.0.0.1:9003")
    hosts = {host["name"]: host for host in hauberk("host", "list", "--json").json}
    assert hosts["shop.example.com"]["upstreams"] == ["http://127.0.0.1:9002", "http://127.0.0.1:9003"]
    hauberk("host", "certificate", "shop.example.com", "--out", "server.pem")
    assert "BEGIN CERTIFICATE" in Path("server.pem").read_text()
    assert hauberk("host", "certificate", "shop.example.com").out == Path("server.pem").read_text()
    hauberk("host", "remove", "shop.example.com")
    assert "there is no host" in hauberk("host", "certificate", "shop.example.com", ok=False).err


def test_a_host_of_the_settings_file_is_changed_there(hauberk: Run) -> None:
    ran = hauberk("host", "remove", "api.example.com", ok=False)
    assert "hauberk.toml" in ran.err


def test_a_certificate_without_its_key_is_wrong_usage(hauberk: Run) -> None:
    words = ["host", "add", "shop.example.com", "--upstream", "http://127.0.0.1:9", "--certificate", "server.pem"]
    assert hauberk(*words, ok=False).status == 2


def test_a_token_is_shown_once_and_revoked_by_name(hauberk: Run) -> None:
    made = hauberk("token", "create", "ci", "--scope", "read")
    text = made.out.strip()
    assert len(text) > 30
    assert text not in made.err
    assert text not in hauberk("token", "list", "--json").out
    hauberk("token", "revoke", "ci")
    assert {token["name"]: token["status"] for token in hauberk("token", "list", "--json").json}["ci"] == "revoked"
    assert "no active token 'ci'" in hauberk("token", "revoke", "ci", ok=False).err


def test_a_token_can_go_straight_into_a_file(hauberk: Run) -> None:
    ran = hauberk("token", "create", "gateway-2", "--scope", "gateway", "--out", "token", "--json")
    assert "token" not in ran.json
    assert stat.S_IMODE(Path("token").stat().st_mode) == 0o600
    assert len(Path("token").read_text().strip()) > 30


VIOLATION = {
    "location": "body",
    "target": "$.temperature",
    "error_class": "constraint_violation",
    "error_detail": "number_too_big",
}


def event(control_plane: Any, number: int, **changes: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=10 - number)
    return {
        "id": f"event-{number}",
        "occurred_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "request_id": f"request-{number}",
        "zone_id": control_plane.zone_id,
        "host": "api.example.com",
        "method": "POST",
        "path": "/temps",
        "operation_id": None,
        "action": "block",
        "source": "apiShieldSchemaValidation",
        "rule_id": None,
        "violation": {
            "location": "body",
            "target": "$.temperature",
            "error_class": "constraint_violation",
            "error_detail": "number_too_big",
        },
        "status": 403,
        "client_certificate": None,
        "client_address": "127.0.0.1",
    } | changes


def store(control_plane: Any, *events: dict[str, Any]) -> None:
    with control_plane.client(control_plane.gateway_token) as client:
        client.post("/hauberk/v1/events", json={"events": list(events)}).raise_for_status()


def test_events_are_listed_the_newest_last_and_filtered(hauberk: Run, control_plane: Any) -> None:
    rule = {"source": "firewallCustom", "violation": None, "rule_id": "a" * 32, "action": "log"}
    store(control_plane, event(control_plane, 1), event(control_plane, 2, **rule), event(control_plane, 3))
    lines = hauberk("events").out.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["request-1", "request-2", "request-3"]
    assert "POST api.example.com/temps  body $.temperature: constraint_violation (number_too_big)" in lines[0]
    assert f"rule {'a' * 32}, no client certificate" in lines[1]
    assert [e["id"] for e in hauberk("events", "--action", "log", "--json").json] == ["event-2"]
    assert [e["id"] for e in hauberk("events", "--request", "request-3", "--json").json] == ["event-3"]
    assert [e["id"] for e in hauberk("events", "--since", "510s", "--json").json] == ["event-2", "event-3"]
    assert [e["id"] for e in hauberk("events", "--limit", "1", "--json").json] == ["event-3"]
    assert hauberk("events", "--source", "apiShield").err == "no events: nothing was blocked or logged\n"


def test_an_event_with_several_violations_names_the_first_and_json_gives_all(hauberk: Run, control_plane: Any) -> None:
    rule = {"rule": ".components.schemas.Reading.properties.temperature.maximum"}
    violations = [VIOLATION | rule, VIOLATION | {"target": "$.unit", "rule": None}, VIOLATION | {"target": "$.time", "rule": None}]
    store(control_plane, event(control_plane, 1, action="log", status=None, violation=violations[0], violations=violations))
    assert "body $.temperature: constraint_violation (number_too_big), and 2 more  request" in hauberk("events").out
    assert hauberk("events", "--json").json[0]["violations"] == violations


def test_control_characters_of_an_event_do_not_reach_the_terminal(hauberk: Run, control_plane: Any) -> None:
    store(control_plane, event(control_plane, 1, path="/\x1b[31mred", method="G\rT"))
    out = hauberk("events").out
    assert "\x1b" not in out
    assert "\r" not in out
    assert "\\x1b[31mred" in out


def test_following_prints_each_event_once_as_it_comes(hauberk: Run, control_plane: Any) -> None:
    store(control_plane, event(control_plane, 1))
    command = [sys.executable, "-m", "hauberk.cli", "events", "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["id"] == "event-1"
        for number in (2, 3):
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            store(control_plane, event(control_plane, number, occurred_at=now))
            assert json.loads(following.stdout.readline())["id"] == f"event-{number}"
        following.send_signal(signal.SIGINT)
        assert following.wait(10) == 130


def test_output_that_nobody_reads_ends_quietly(hauberk: Run) -> None:
    hauberk("token", "list")
    command = f"'{sys.executable}' -m hauberk.cli token list --json | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("since", ["yesterday", "10", "5w", "2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_is_said(hauberk: Run, since: str) -> None:
    assert hauberk("events", "--since", since, ok=False).status == 2


def heartbeat(control_plane: Any, **changes: Any) -> None:
    body = {"name": "edge-1", "version": control_plane.plane.revision(), "started_at": datetime.now(UTC).isoformat()} | changes
    with control_plane.client(control_plane.gateway_token) as client:
        client.put("/hauberk/v1/gateways/g1", json=body).raise_for_status()


def test_status_without_gateways_says_how_to_run_one(hauberk: Run) -> None:
    assert "no gateway has reported yet" in hauberk("status").err
    assert "no gateway is running" in hauberk("status", "--wait", "--timeout", "0.2", ok=False).err


def test_waiting_ends_when_the_gateway_has_caught_up(hauberk: Run, control_plane: Any) -> None:
    heartbeat(control_plane, version=control_plane.plane.revision() - 1)
    assert hauberk("status", "--json").json["gateways"][0]["state"] == "behind"
    later = threading.Timer(0.5, heartbeat, [control_plane])
    later.start()
    begin = time.monotonic()
    hauberk("status", "--wait")
    assert 0.3 < time.monotonic() - begin < 10
    later.join()


def test_waiting_fails_with_the_reason_when_a_gateway_refuses(hauberk: Run, control_plane: Any) -> None:
    newest = control_plane.plane.revision()
    heartbeat(control_plane, version=newest - 1, refused_version=newest, refused_reason="host 'x': its key is not a key")
    ran = hauberk("status", "--wait", ok=False)
    assert f"gateway edge-1 refused version {newest}: host 'x': its key is not a key" in ran.err


def test_waiting_fails_when_the_time_is_over(hauberk: Run, control_plane: Any) -> None:
    heartbeat(control_plane, version=control_plane.plane.revision() - 1)
    assert "not every gateway enforces" in hauberk("status", "--wait", "--timeout", "0.3", ok=False).err


def test_requests_and_what_to_do_next(hauberk: Run, control_plane: Any) -> None:
    counts = dict.fromkeys(("logged", "blocked_certificate", "blocked_rule", "blocked_other", "with_certificate"), 0)
    counts |= dict.fromkeys(("fallthrough", "client_errors", "server_errors"), 0) | {
        "requests": 4,
        "passed": 3,
        "blocked_schema": 1,
        "protected": 1,
    }
    minute = int(time.time()) // 60 * 60
    body = {"batch_id": "0" * 32, "metrics": [{"zone_id": control_plane.zone_id, "host": control_plane.host, "minute": minute, **counts}]}
    with control_plane.client(control_plane.gateway_token) as client:
        client.post("/hauberk/v1/gateways/g/request-counts", json=body).raise_for_status()
    lines = hauberk("requests").out.splitlines()
    assert lines[1].split()[:6] == [control_plane.host, "4", "1", "0", "25.0", "%"]
    assert hauberk("requests", "--since", "2h", "--json").json["requests"] == 4
    assert "write 90s" in hauberk("requests", "--since", "then", ok=False).err
    assert "Start a gateway" in hauberk("todo").out
    assert hauberk("todo", "--json").json[0]["code"] == "no_gateway"


def test_events_of_one_reason(hauberk: Run, control_plane: Any) -> None:
    assert hauberk("events", "--code", "ambiguous_path", "--path", "x", "--rule", "r", "--json").json == []
