"""Traffic from a caller to the store: what is recorded, and that no secret is in it anywhere."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from conftest import HOST_NAME, LiveControlPlane, eventually, settings_for
from hauberk import _native
from hauberk.config import Settings
from hauberk.gateway import CountsCarrier, GatewayRunner
from hauberk.storage.models import Host
from hauberk.traffic.keeper import TrafficKeeper
from hauberk.traffic.masking_key import masking_key
from hauberk.traffic.store import TrafficStore

SECRETS = [f"s3cr3t-{place}-5f0c1d" for place in ("header", "cookie", "query", "json", "form", "basic")]


class Recording:
    """A gateway in this process with a TLS listener, that records all it serves."""

    def __init__(self, live: LiveControlPlane, folder: Path, traffic: dict[str, Any]) -> None:
        gateway = {"https": ["127.0.0.1:0"], "threads": 2, "poll_seconds": 0.1, "grace_seconds": 0.5}
        recorded = {"flush_seconds": 0.1, **traffic}
        settings = settings_for(folder, live.address).model_dump(exclude_unset=True)
        self.settings = Settings.model_validate({**settings, "gateway": gateway, "traffic": recorded})
        self.runner = GatewayRunner(self.settings, live.base_url, live.gateway_token)
        self.thread = threading.Thread(target=self.runner.run)

    @property
    def store(self) -> TrafficStore:
        return TrafficStore(self.settings.traffic_store)

    def __enter__(self) -> Recording:
        self.thread.start()
        eventually(lambda: self.runner.ready)
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.stop()
        self.thread.join()

    def request(self, method: str, target: str, **options: Any) -> httpx.Response:
        headers = {"Host": HOST_NAME, **options.pop("headers", {})}
        with httpx.Client(verify=False, timeout=10) as client:
            return client.request(
                method,
                f"https://{self.runner.core.https_addresses[0]}{target}",
                headers=headers,
                extensions={"sni_hostname": HOST_NAME},
                **options,
            )


@pytest.fixture
def upstream(control_plane: LiveControlPlane, origin: str) -> LiveControlPlane:
    with control_plane.plane.database.write() as session:
        session.query(Host).one().upstreams = [origin]
    return control_plane


def test_no_secret_reaches_the_store_the_log_or_any_file(
    upstream: LiveControlPlane, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    header, cookie, query, in_json, in_form, basic = SECRETS
    folder = tmp_path / "gateway"
    with caplog.at_level(logging.DEBUG), Recording(upstream, folder, {"bodies": "json"}) as gateway:
        gateway.request("GET", f"/a?access_token={query}&page=2", headers={"Authorization": f"Bearer {header}", "Cookie": f"sid={cookie}"})
        gateway.request("GET", "/a", headers={"X-Api-Key": header, "Referer": f"https://example.com/?token={query}"}, auth=("u", basic))
        gateway.request("POST", "/login", json={"user": "x", "password": in_json, "nested": {"client_secret": in_json}})
        gateway.request("POST", "/login", data={"user": "x", "password": in_form})
        gateway.request("POST", "/raw", content=f"password={in_form}", headers={"Content-Type": "text/plain"})
        eventually(lambda: len(gateway.store.sample()) == 5)
        rows = gateway.store.sample()
        metrics = gateway.runner.core.metrics()
    bodies = {row["request_body"] for row in rows if row["url"].endswith("/login")}
    assert any(body.startswith('{"user":"x","password":"h:') for body in bodies)
    assert any(body.startswith("user=x&password=h:") for body in bodies)
    first = next(row for row in rows if "page=2" in row["url"])
    assert dict(map(tuple, first["request_headers"]))["authorization"].startswith("Bearer h:")
    assert first["client"].startswith("c:")
    assert first["url"].startswith(f"https://{HOST_NAME}/a?access_token=h:")
    segments = list(folder.rglob("*.parquet"))
    told = [str(pq.ParquetFile(path).read().to_pylist()) for path in segments]
    output = capfd.readouterr()
    # Not those of the client, which speaks of what it sends.
    ours = [record for record in caplog.records if record.name.startswith("hauberk")]
    told += [*(str(vars(record)) for record in ours), output.out, output.err, metrics]
    told += [path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file()]
    assert segments
    for secret in SECRETS:
        assert not any(secret in text for text in told), secret


def test_what_is_recorded_tells_what_happened(upstream: LiveControlPlane, tmp_path: Path) -> None:
    with upstream.client() as client:
        body = {"method": "GET", "host": HOST_NAME, "endpoint": "/users/{id}"}
        operation_id = client.post(f"{upstream.zone}/api_gateway/operations/item", json=body).json()["result"]["operation_id"]
    with Recording(upstream, tmp_path / "gateway", {}) as gateway:
        eventually(lambda: gateway.runner.core.version == upstream.plane.revision())
        for number in range(3):
            assert gateway.request("GET", f"/users/{number}").status_code == 200
        eventually(lambda: len(gateway.store.sample()) == 3)
        gateway.runner.metrics.carry()
        with upstream.client() as client:
            path = f"/hauberk/v1/zones/{upstream.zone_id}/operations/{operation_id}/metrics"
            result = client.get(path).json()["result"]
        assert (result["requests"], result["client_errors"], result["server_errors"]) == (3, 0, 0)
        assert 0 < result["latency_ms"]["p50"] <= result["latency_ms"]["p99"]
        rows = gateway.store.sample()
    assert {(row["host"], row["method"], row["status"], row["operation_id"], row["action"]) for row in rows} == {
        (HOST_NAME, "GET", 200, operation_id, "allowed")
    }
    assert all(row["duration_us"] > 0 and row["weight"] >= 1 and 0 <= row["score"] <= 1 and len(row["request_id"]) == 32 for row in rows)
    assert [(row.path, row.requests) for row in gateway.store.paths()] == [(f"/users/{number}", 1) for number in range(3)]
    assert gateway.store.counts()[0]["requests"] == 3


def test_sampling_is_changed_over_rest_while_requests_come(upstream: LiveControlPlane, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    folder.mkdir()
    (folder / "told-settings.json").write_text('{"traffic.sample_rate": 0}')  # from an earlier start

    def change(**values: Any) -> None:
        with upstream.client() as client:
            changes = {f"traffic.{name}": value for name, value in values.items()}
            client.patch("/hauberk/v1/settings", json=changes).raise_for_status()
            # What the dashboard waits for to say that all gateways enforce it.
            eventually(lambda: client.get("/hauberk/v1/status").json()["result"]["gateways"][0]["state"] == "current")

    def send(path: str, count: int) -> None:
        for number in range(count):
            assert gateway.request("POST", f"/{path}", json={"note": "n" * number}).status_code == 200

    def recorded() -> dict[str, list[dict[str, Any]]]:
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in gateway.store.sample():
            rows.setdefault(row["url"].rpartition("/")[2], []).append(row)
        return rows

    with upstream.client() as client:
        client.patch("/hauberk/v1/settings", json={"traffic.sample_rate": 0, "traffic.max_body_bytes": 20}).raise_for_status()
    # What its own file sets is stronger than what it is told.
    with Recording(upstream, folder, {"max_body_bytes": 40}) as gateway:
        send("off", 3)
        assert gateway.runner.traffic is None
        change(sample_rate=1, max_per_second=1000)
        send("all", 3)
        change(bodies="json")
        send("bodies", 40)
        change(max_per_second=0.001)
        send("few", 40)
        change(max_per_second=0)
        send("none", 3)
        change(sample_rate=0.25, max_per_second=1000)
        send("quarter", 40)
        change(sample_rate=None, max_per_second=None, bodies=None)
        send("default", 3)
        eventually(lambda: len(recorded().get("default", [])) == 3)
        rows = recorded()
        metrics = gateway.runner.core.metrics()
    assert rows.keys() == {"all", "bodies", "few", "quarter", "default"}
    assert {path: len(found) for path, found in rows.items() if path != "quarter"} == {"all": 3, "bodies": 40, "few": 1, "default": 3}
    # A share of what each thread serves.
    assert 5 <= len(rows["quarter"]) <= 15
    assert sum(row["weight"] for row in rows["quarter"]) <= 40
    assert {row["weight"] for path in ("all", "bodies", "default") for row in rows[path]} == {1}
    assert all(row["request_body"] is None for path in ("all", "default") for row in rows[path])
    kept = sorted(len(row["request_body"]) for row in rows["bodies"] if row["request_body"] is not None)
    assert kept == list(range(len('{"note":""}'), 41))
    assert f"hauberk_transactions_sampled_total {sum(map(len, rows.values()))}" in metrics


def test_what_gathered_is_written_when_the_gateway_stops(upstream: LiveControlPlane, tmp_path: Path) -> None:
    with Recording(upstream, tmp_path / "gateway", {"flush_seconds": 3600}) as gateway:
        for _ in range(20):
            gateway.request("GET", "/x")
    assert sum(row.requests for row in gateway.store.paths()) == 20
    assert (tmp_path / "gateway" / "traffic-pending").read_text().split() == ["0"]


def test_nothing_is_recorded_when_it_is_switched_off(upstream: LiveControlPlane, tmp_path: Path) -> None:
    with Recording(upstream, tmp_path / "gateway", {"sample_rate": 0}) as gateway:
        gateway.request("GET", "/x")
        assert gateway.runner.traffic is None
        assert "hauberk_transactions_sampled_total 0" in gateway.runner.core.metrics()
    assert not (tmp_path / "gateway" / "traffic").exists()


def test_a_store_that_cannot_be_written_holds_nobody_up_and_is_told(upstream: LiveControlPlane, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    traffic = {"store": str(tmp_path / "file"), "segment_bytes": 1024}
    with Recording(upstream, tmp_path / "gateway", traffic) as gateway:

        def dropped() -> int:
            assert gateway.request("GET", "/x").status_code == 200
            with upstream.client() as client:
                told: int = client.get("/hauberk/v1/status").json()["result"]["gateways"][0]["transactions_dropped"]
            return told

        eventually(lambda: dropped() > 0)
        assert 'hauberk_transactions_dropped_total{where="store"}' in gateway.runner.core.metrics()


def test_what_a_kill_took_is_counted_at_the_next_start(tmp_path: Path) -> None:
    core = _native.Gateway(https=[], http=[])
    (tmp_path / "traffic-pending").write_text("7                   \n")
    keeper = TrafficKeeper(core, TrafficStore(tmp_path / "traffic"), tmp_path)
    assert keeper.lost == 7
    assert 'hauberk_transactions_dropped_total{where="store"} 7' in core.metrics()
    keeper.close()
    assert TrafficKeeper(core, TrafficStore(tmp_path / "traffic"), tmp_path).lost == 0


def test_lost_answers_neither_lose_nor_double_counts(upstream: LiveControlPlane, tmp_path: Path) -> None:
    with upstream.client() as client:
        body = {"method": "GET", "host": HOST_NAME, "endpoint": "/x"}
        operation_id = client.post(f"{upstream.zone}/api_gateway/operations/item", json=body).json()["result"]["operation_id"]
    with Recording(upstream, tmp_path / "gateway", {"sample_rate": 0}) as gateway:
        eventually(lambda: gateway.runner.core.version == upstream.plane.revision())
        carrier = gateway.runner.metrics
        real, answers = carrier.client, iter([False, True] * 20)

        class Unreliable:
            """Takes what is sent, and loses every other request or its answer."""

            def post(self, *arguments: Any, **options: Any) -> httpx.Response:
                is_answered = next(answers)
                if not is_answered and carrier.waiting[0].setdefault("tried", 0) is None:
                    raise httpx.ConnectError("lost")
                carrier.waiting[0].pop("tried", None)
                response = real.post(*arguments, **options)
                if not is_answered:
                    raise httpx.ReadTimeout("the answer is lost")
                return response

        carrier.client = Unreliable()  # type: ignore[assignment]
        for _ in range(5):
            gateway.request("GET", "/x")
            carrier.carry()
        while carrier.waiting:
            carrier.carry()
        carrier.client = real
        with upstream.client() as client:
            result = client.get(f"/hauberk/v1/zones/{upstream.zone_id}/operations/{operation_id}/metrics").json()["result"]
    assert result["requests"] == 5


def test_several_who_carry_at_once_bring_each_count_once(upstream: LiveControlPlane) -> None:
    with upstream.client() as client:
        body = {"method": "GET", "host": HOST_NAME, "endpoint": "/x"}
        operation_id = client.post(f"{upstream.zone}/api_gateway/operations/item", json=body).json()["result"]["operation_id"]
    hour = int(time.time()) // 3600 * 3600
    counted = {"operation_id": operation_id, "requests": 1, "client_errors": 0, "server_errors": 0, "hour": hour, "last_seen": hour}
    with upstream.client(upstream.gateway_token) as client, ThreadPoolExecutor(4) as several:
        path = f"{upstream.base_url}/hauberk/v1/gateways/g1/operation-metrics"
        carrier = CountsCarrier(lambda: json.dumps([{**counted, "latency": "1:1"}]), client, path, 10)
        for carried in [several.submit(carrier.carry) for _ in range(40)]:
            carried.result()
    assert not carrier.waiting
    with upstream.client() as client:
        result = client.get(f"/hauberk/v1/zones/{upstream.zone_id}/operations/{operation_id}/metrics").json()["result"]
    assert result["requests"] == 40


def test_the_masking_key_is_private_made_once_and_checked(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    program = (
        "import sys, pathlib; from hauberk.traffic.masking_key import masking_key; print(masking_key(pathlib.Path(sys.argv[1])).hex())"
    )
    racing = [subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE) for _ in range(4)]
    keys = {process.communicate()[0].strip() for process in racing}
    assert keys == {masking_key(folder).hex().encode()}
    assert len(masking_key(folder)) == 32
    assert (folder / "traffic.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["traffic.key"]
    (folder / "traffic.key").write_bytes(b"short")
    with pytest.raises(Exception, match="is damaged, a key has 32 bytes"):
        masking_key(folder)


def test_the_queue_gives_masked_lines_only(upstream: LiveControlPlane, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        _native.Gateway(https=[], http=[]).sample(b"short", rate=1, max_per_second=1, max_body_bytes=0)
    core = _native.Gateway(https=[], http=["127.0.0.1:0"])
    core.sample(b"k" * 32, rate=1, max_per_second=1e6, max_body_bytes=1000)
    core.apply_snapshot(upstream.plane.snapshot().data)
    serving = threading.Thread(target=core.run)
    serving.start()
    try:
        url = f"http://{core.http_addresses[0]}/x?token={SECRETS[2]}"
        httpx.post(url, headers={"Host": HOST_NAME, "Authorization": SECRETS[0]}, json={"password": SECRETS[3]})
        lines = core.take_transactions(10**6, 10)
    finally:
        core.stop(0)
        serving.join()
    assert len([json.loads(line) for line in lines.splitlines()]) == 1
    assert b"s3cr3t" not in lines
    assert core.take_transactions(10**6, 0) == b""
