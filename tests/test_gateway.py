"""The gateway process: it follows the control plane, survives its absence and its own death, and brings its events home."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from conftest import PATIENCE_SECONDS, LiveControlPlane, OriginSays, eventually, free_port, serve_control_plane, settings_for
from hauberk.errors import ConfigurationError, InvalidRequest, StorageError
from hauberk.gateway import GatewayRunner
from hauberk.pipeline import ControlPlane
from hauberk.serve.listening import bind
from hauberk.storage.models import Host, Rule, Ruleset

HOST = {"Host": "api.example.com"}


def send_to(live: LiveControlPlane, origin: str) -> None:
    with live.plane.database.write() as session:
        session.query(Host).one().upstreams = [origin]


class RunningGateway:
    """A gateway in this process, on a free plain port."""

    def __init__(self, live: LiveControlPlane, folder: Path) -> None:
        settings = settings_for(folder, live.address)
        gateway = settings.gateway.model_copy(update={"https": [], "http": ["127.0.0.1:0"], "poll_seconds": 0.1, "grace_seconds": 0.5})
        self.settings = settings.model_copy(update={"gateway": gateway})
        self.runner = GatewayRunner(self.settings, live.base_url, live.gateway_token)
        self.thread = threading.Thread(target=self.runner.run)

    def __enter__(self) -> RunningGateway:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.stop()
        self.thread.join()

    def get(self, path: str = "/", **options: Any) -> httpx.Response:
        return httpx.get(f"http://{self.runner.core.http_addresses[0]}{path}", headers=HOST, timeout=10, **options)


def status_of(live: LiveControlPlane) -> dict[str, Any]:
    with live.client() as client:
        result: dict[str, Any] = client.get("/hauberk/v1/status").json()["result"]
    return result


def add_rule(live: LiveControlPlane, expression: str) -> None:
    with live.plane.database.write() as session:
        ruleset = session.query(Ruleset).one_or_none() or Ruleset(zone_id=live.zone_id, phase="http_request_firewall_custom")
        session.add(ruleset)
        session.flush()
        position = session.query(Rule).count()
        session.add(Rule(ruleset_id=ruleset.id, position=position, ref="r", expression=expression, action="block", description="test"))


def test_a_change_is_enforced_reported_and_kept_on_disk(control_plane: LiveControlPlane, origin: str, tmp_path: Path) -> None:
    send_to(control_plane, origin)
    with RunningGateway(control_plane, tmp_path / "gateway") as gateway:
        eventually(lambda: gateway.runner.ready)
        assert gateway.get("/x").json()["path"] == "/x"
        add_rule(control_plane, 'http.request.uri.path eq "/x"')
        eventually(lambda: status_of(control_plane)["gateways"][0]["state"] == "current")
        assert gateway.get("/x").status_code == 403
        assert gateway.get("/y").status_code == 200
        kept = gateway.runner.copy.load()
        assert kept is not None
        assert kept.version == status_of(control_plane)["version"]


def test_a_snapshot_that_does_not_compile_is_refused_and_reported(control_plane: LiveControlPlane, origin: str, tmp_path: Path) -> None:
    send_to(control_plane, origin)
    with RunningGateway(control_plane, tmp_path / "gateway") as gateway:
        eventually(lambda: gateway.runner.ready)
        enforced = gateway.runner.core.version
        control_plane.plane.database.before_commit = lambda _session: None  # as if an older control plane had let it in
        add_rule(control_plane, "this is no expression")
        eventually(lambda: status_of(control_plane)["gateways"][0]["state"] == "refused")
        reported = status_of(control_plane)["gateways"][0]
        assert reported["version"] == enforced
        assert reported["refused_version"] == status_of(control_plane)["version"]
        assert "column 1" in reported["refused_reason"]
        assert gateway.get().status_code == 200
        with control_plane.plane.database.write() as session:
            session.delete(session.query(Rule).one())
        eventually(lambda: status_of(control_plane)["gateways"][0]["state"] == "current")
        assert status_of(control_plane)["gateways"][0]["refused_reason"] is None


def test_a_change_that_gateways_would_refuse_is_not_committed(control_plane: LiveControlPlane) -> None:
    version = control_plane.plane.revision()
    with pytest.raises(InvalidRequest, match=r"gateways could not enforce this: .*column 1"):
        add_rule(control_plane, "this is no expression")
    assert control_plane.plane.revision() == version
    # What is wrong already must not stand in the way of its remedy, or of a revocation.
    check, control_plane.plane.database.before_commit = control_plane.plane.database.before_commit, lambda _session: None
    add_rule(control_plane, "this is no expression")
    control_plane.plane.database.before_commit = check
    control_plane.plane._was_good = False
    add_rule(control_plane, 'http.host eq "a"')
    with control_plane.plane.database.write() as session:
        session.delete(session.scalars(select(Rule).where(Rule.expression == "this is no expression")).one())
    with pytest.raises(InvalidRequest):
        add_rule(control_plane, "this is no expression")


def test_the_same_version_of_another_history_is_another_snapshot(state_dir: Path, origin: str, tmp_path: Path) -> None:
    with serve_control_plane(state_dir) as live:
        send_to(live, origin)
        settings = live.plane.settings
    backup = Path(shutil.copytree(state_dir, tmp_path / "backup"))
    versions = []
    for folder, path in ((state_dir, "/one"), (backup, "/two")):  # the gateway is off while the backup is put back
        plane = ControlPlane(settings.model_copy(update={"state_dir": folder, "zones": []}))
        plane.close()
        with serve_control_plane(folder) as live:
            send_to(live, origin)
            add_rule(live, f'http.request.uri.path eq "{path}"')
            versions.append(live.plane.revision())
            with RunningGateway(live, tmp_path / "gateway") as gateway:
                eventually(lambda gateway=gateway, path=path: gateway.get(path).status_code == 403)
                eventually(lambda live=live: status_of(live)["gateways"][0]["state"] == "current")
    assert versions[0] == versions[1]


def test_an_odd_answer_does_not_end_the_following(
    control_plane: LiveControlPlane, origin: str, tmp_path: Path, origin_says: OriginSays
) -> None:
    send_to(control_plane, origin)
    with RunningGateway(control_plane, tmp_path / "gateway") as gateway:
        eventually(lambda: gateway.runner.ready)
        real = gateway.runner.client.base_url
        for odd in (b"<html>", b"[]", b'{"result": null}', b"\xff"):
            origin_says.body = odd
            gateway.runner.client.base_url = httpx.URL(origin)
            before = origin_says.answered
            eventually(lambda before=before: origin_says.answered > before + 1)
        gateway.runner.client.base_url = real
        add_rule(control_plane, 'http.request.uri.path eq "/x"')
        eventually(lambda: gateway.get("/x").status_code == 403)


def change_settings(live: LiveControlPlane, **values: Any) -> None:
    with live.client() as http:
        http.patch("/hauberk/v1/settings", json={f"traffic.{name}": value for name, value in values.items()}).raise_for_status()


def test_settings_that_are_changed_reach_the_gateway_and_its_next_start(state_dir: Path, tmp_path: Path) -> None:
    with serve_control_plane(state_dir) as live:
        change_settings(live, keep_days=3, bodies="json")
        with RunningGateway(live, tmp_path / "gateway") as gateway:
            assert gateway.runner.traffic is not None
            store = gateway.runner.traffic.store
            eventually(lambda: store.keep_days == 3)
            assert gateway.runner.settings.traffic.bodies == "json"
    with RunningGateway(live, tmp_path / "gateway") as gateway:  # the control plane is gone
        assert (gateway.runner.settings.traffic.keep_days, gateway.runner.settings.traffic.bodies) == (3, "json")


@pytest.fixture
def follower(control_plane: LiveControlPlane, tmp_path: Path) -> Iterator[GatewayRunner]:
    """A gateway that serves nobody, and asks when it is told to."""
    runner = RunningGateway(control_plane, tmp_path / "gateway").runner
    yield runner
    runner.stop()
    assert runner.traffic is not None
    runner.traffic.close()
    runner.events.close()
    runner.client.close()


def test_a_gateway_says_that_it_enforces_a_change_of_settings_once_it_does(
    control_plane: LiveControlPlane, follower: GatewayRunner
) -> None:
    said = []

    def hear(request: httpx.Request) -> None:
        if request.url.path.endswith("/snapshot"):
            change_settings(control_plane, sample_rate=0.5)  # after the heartbeat that told of another snapshot
        else:
            said.append((json.loads(request.content)["etag"], follower.settings.traffic.sample_rate))

    follower.client.event_hooks = {"request": [hear]}
    follower.follow_once()
    assert said == [(None, 1), (None, 1), (control_plane.plane.snapshot().etag, 0.5)]


def test_settings_that_cannot_be_followed_are_logged_and_tried_again(
    control_plane: LiveControlPlane, follower: GatewayRunner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def follow(told: Any) -> tuple[float, str]:
        control_plane.plane.settings_for_gateways = lambda: told  # type: ignore[method-assign]
        follower.follow_once()
        return follower.settings.traffic.sample_rate, follower.settings.traffic.bodies

    assert follow({"traffic.sample_rate": 0, "traffic.bodies": "json"}) == (0, "json")
    for odd in ("x", [1], [["traffic.sample_rate"]]):
        assert follow(odd) == (0, "json")
    # Each that is a value holds; the others are as if nobody had told of them.
    assert follow({"traffic.sample_rate": 0, "traffic.bodies": 3, "traffic.max_body_bytes": -1, "of.later": 1}) == (0, "none")
    key = tmp_path / "gateway" / "traffic.key"
    key.chmod(0o644)
    assert follow({"traffic.sample_rate": 0.5}) == (0, "none")
    assert "may be read by others" in str([vars(record) for record in caplog.records])
    key.chmod(0o600)
    assert follow({"traffic.sample_rate": 0.5}) == (0.5, "none")


def test_another_control_plane_tells_what_belongs_to_the_snapshot(control_plane: LiveControlPlane) -> None:
    other = ControlPlane(control_plane.plane.declared)
    other.snapshot()
    change_settings(control_plane, bodies="json")
    assert other.settings_for_gateways() == {}
    assert other.snapshot().etag == control_plane.plane.snapshot().etag
    assert other.settings_for_gateways() == {"traffic.bodies": "json"}
    other.close()


def test_events_that_are_never_taken_do_not_hold_up_the_others(control_plane: LiveControlPlane, tmp_path: Path) -> None:
    with RunningGateway(control_plane, tmp_path / "gateway") as gateway:
        carrier = gateway.runner.events
        carrier.carry(['["no event"]'])
        carrier.carry(['{"id": "too little"}'])
        good = {"id": "1", "zone_id": control_plane.zone_id, "host": "h", "method": "A" * 40, "action": "block", "source": "apiShield"}
        carrier.carry([json.dumps(good | {"request_id": "r", "occurred_at": "2026-01-01T00:00:00Z"})])
        assert not carrier.waiting
        assert carrier.dropped == 1
        with control_plane.client() as client:
            assert client.get(f"{control_plane.zone}/security_events").json()["result_info"]["total_count"] == 1


def test_a_disk_without_room_is_logged_and_the_change_enforced(
    control_plane: LiveControlPlane, origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    send_to(control_plane, origin)
    with RunningGateway(control_plane, tmp_path / "gateway") as gateway:
        eventually(gateway.runner.copy.path.exists)
        before = gateway.runner.copy.path.read_bytes()

        def full(_snapshot: object) -> None:
            raise StorageError("snapshot 9 was not kept: No space left on device")

        monkeypatch.setattr(gateway.runner.copy, "store", full)
        add_rule(control_plane, 'http.request.uri.path eq "/x"')
        eventually(lambda: gateway.get("/x").status_code == 403)
        eventually(lambda: "a restart would not have it" in caplog.text)
        assert gateway.runner.copy.path.read_bytes() == before


def test_it_serves_on_and_starts_again_while_the_control_plane_is_away(state_dir: Path, origin: str, tmp_path: Path) -> None:
    with serve_control_plane(state_dir) as live:
        send_to(live, origin)
        add_rule(live, 'http.request.uri.path eq "/x"')
        with RunningGateway(live, tmp_path / "gateway") as gateway:
            eventually(gateway.runner.copy.path.exists)
    with RunningGateway(live, tmp_path / "gateway") as gateway:  # the control plane is gone now
        eventually(lambda: gateway.runner.ready)
        assert gateway.get("/x").status_code == 403
        assert gateway.get("/y").status_code == 200


def test_a_damaged_copy_is_replaced(control_plane: LiveControlPlane, origin: str, tmp_path: Path) -> None:
    send_to(control_plane, origin)
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "snapshot").write_bytes(b"hauberk-snapshot 1 1 00\n{}")
    with RunningGateway(control_plane, tmp_path / "gateway") as gateway:
        eventually(lambda: gateway.runner.ready)
        assert gateway.get().status_code == 200
        eventually(lambda: gateway.runner.copy.load() is not None)


def test_events_reach_the_file_and_the_control_plane_also_after_its_absence(state_dir: Path, origin: str, tmp_path: Path) -> None:
    with serve_control_plane(state_dir) as live:
        send_to(live, origin)
        add_rule(live, 'http.request.uri.path eq "/secret-value-42"')
        with RunningGateway(live, tmp_path / "gateway") as gateway:
            eventually(lambda: gateway.runner.ready)
            refused = gateway.get("/secret-value-42", params={"token": "abcdef"})
            problem = refused.json()
            assert refused.status_code == 403
            assert refused.headers["content-type"] == "application/problem+json"

            def arrived() -> list[dict[str, Any]]:
                with live.client() as client:
                    answer = client.get(f"/client/v4/zones/{live.zone_id}/security_events", params={"request_id": problem["request_id"]})
                events: list[dict[str, Any]] = answer.json()["result"]
                return events

            eventually(lambda: bool(arrived()))
            event = arrived()[0]
    assert (event["action"], event["source"], event["status"], event["host"]) == ("block", "firewallCustom", 403, "api.example.com")
    assert event["operation_id"] is None
    lines = gateway.settings.events_file.read_text().splitlines()
    assert [json.loads(line)["request_id"] for line in lines] == [problem["request_id"]]
    assert "abcdef" not in lines[0]
    assert "secret-value-42" not in lines[0]
    # The control plane is gone: events wait.
    gateway.runner.events.client = httpx.Client(
        base_url=live.base_url + "/hauberk/v1", headers={"Authorization": f"Bearer {live.gateway_token}"}
    )
    later = json.loads(lines[0]) | {"id": "f" * 32, "request_id": "e" * 32}
    gateway.runner.events.carry([json.dumps(later)])
    assert len(gateway.runner.events.waiting) == 1
    gateway.runner.events.client.close()
    with serve_control_plane(state_dir) as again:
        gateway.runner.events.client = httpx.Client(
            base_url=again.base_url + "/hauberk/v1", headers={"Authorization": f"Bearer {again.gateway_token}"}
        )
        gateway.runner.events.carry([])
        gateway.runner.events.carry([json.dumps(later)])  # sent again after an answer that was lost: stored once
        gateway.runner.events.client.close()
        gateway.runner.events.close()
        with again.client() as client:
            assert client.get(f"/client/v4/zones/{again.zone_id}/security_events").json()["result_info"]["total_count"] == 2


def test_every_metric_is_documented(control_plane: LiveControlPlane, origin: str, tmp_path: Path) -> None:
    send_to(control_plane, origin)
    with RunningGateway(control_plane, tmp_path / "gateway") as gateway:
        eventually(lambda: gateway.runner.ready)
        gateway.get()
        ours = gateway.runner.core.metrics()
    with control_plane.client() as client:
        theirs = client.get("/metrics").text
    names = set(re.findall(r"^# TYPE (hauberk_\w+)", ours + theirs, re.MULTILINE))
    page = (Path(__file__).parents[1] / "docs" / "events-and-metrics.md").read_text()
    assert {name for name in names if name.removesuffix("_created") not in page} == set()
    assert len(names) > 12


def test_an_address_in_use_is_named(control_plane: LiveControlPlane, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = settings_for(tmp_path / "gateway", control_plane.address)
        settings = settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"https": [address]})})
        with pytest.raises(ConfigurationError, match=address):
            GatewayRunner(settings, control_plane.base_url, control_plane.gateway_token)
        with pytest.raises(ConfigurationError, match=f"control_plane.listen: {address} is in use"):
            bind(address, "control_plane.listen")


def start_process(folder: Path, live: LiveControlPlane, port: int) -> subprocess.Popen[bytes]:
    token_file = folder / "gateway-token"
    token_file.write_text(live.gateway_token)
    environment = os.environ | {
        "HAUBERK_STATE_DIR": str(folder / "gateway"),
        "HAUBERK_GATEWAY__HTTPS": "[]",
        "HAUBERK_GATEWAY__HTTP": json.dumps([f"127.0.0.1:{port}"]),
        "HAUBERK_GATEWAY__METRICS": f"127.0.0.1:{free_port()}",
    }
    command = [sys.executable, "-m", "hauberk.cli", "gateway", "--control-plane", live.base_url, "--token-file", str(token_file)]
    return subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.DEVNULL)


def answers(port: int, path: str) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", headers=HOST, timeout=10).status_code
    except httpx.TransportError:
        return 0


def test_after_kill_9_it_serves_from_the_copy_on_disk(state_dir: Path, origin: str, tmp_path: Path) -> None:
    port = free_port()
    with serve_control_plane(state_dir) as live:
        send_to(live, origin)
        add_rule(live, 'http.request.uri.path eq "/x"')
        process = start_process(tmp_path, live, port)
        try:
            eventually(lambda: answers(port, "/y") == 200)
            eventually((tmp_path / "gateway" / "snapshot").exists)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    process = start_process(tmp_path, live, port)  # the control plane is gone now
    try:
        eventually(lambda: answers(port, "/y") == 200)
        assert answers(port, "/x") == 403
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_requests_are_counted_by_what_became_of_them(control_plane: LiveControlPlane, origin: str, tmp_path: Path) -> None:
    send_to(control_plane, origin)
    add_rule(control_plane, 'http.request.uri.path eq "/closed"')
    with RunningGateway(control_plane, tmp_path / "gateway") as gateway:
        eventually(lambda: gateway.runner.ready)
        assert [gateway.get(path).status_code for path in ("/a", "/b", "/closed")] == [200, 200, 403]

        def counted() -> dict[str, int]:
            with control_plane.client() as client:
                result: dict[str, int] = client.get(f"/hauberk/v1/zones/{control_plane.zone_id}/requests").json()["result"]
            return result

        eventually(lambda: counted()["requests"] == 3)
        found = counted()
        assert (found["passed"], found["blocked_rule"], found["protected"], found["fallthrough"]) == (2, 1, 1, 3)
        assert gateway.get("/last").status_code == 200
    # What was counted since is brought when the gateway stops.
    assert counted()["requests"] == 4
