"""`hauberk demo --traffic`: an installation in use, where every page has something true to show."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import eventually

# Sooner than a person is done looking at the first pages.
READY_SECONDS = 180
SHOWN_SECONDS = 120


class Demo:
    """A demo that runs, and its REST API."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "hauberk.cli", "demo", "--traffic", "--folder", str(folder), "--rate", "20", "--seed", "3"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said = ""
        while "hauberk status" not in said:
            line = self.process.stdout.readline()
            assert line, said + (self.process.stderr.read() if self.process.stderr else "")
            said += line
        self.said = said
        address = next(word for word in said.split() if word.startswith("http://127.0.0.1:"))
        token = (folder / "state" / "admin-token").read_text().strip()
        self.http = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False)
        self.zone_id = self.ask("/client/v4/zones")[0]["id"]

    def ask(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path.replace("ZONE", getattr(self, "zone_id", "")), params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def stop(self) -> None:
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        _, complaints = self.process.communicate(timeout=60)
        assert (self.process.returncode, complaints) == (0, "")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("demo") / "in-use")
    yield made
    made.stop()


def test_it_says_where_the_dashboard_is_and_that_the_past_is_made_up(demo: Demo) -> None:
    assert "The dashboard" in demo.said
    assert "made up" in demo.said


def test_operations_are_in_review_ignored_and_saved(demo: Demo) -> None:
    for state, at_least in {"review": 5, "ignored": 1, "saved": 20}.items():
        found = demo.ask("/client/v4/zones/ZONE/api_gateway/discovery/operations", state=state, per_page=100)
        assert len(found) >= at_least, state
    # Two ways lead to most of them, and pages are none.
    endpoints = {one["endpoint"] for one in found}
    assert {"/v1/products/{var1}", "/v2/readings"} <= endpoints
    assert not [endpoint for endpoint in endpoints if endpoint.startswith(("/c/", "/p/", "/assets"))]


def test_certificates_are_active_and_revoked_and_one_ends_soon(demo: Demo) -> None:
    certificates = demo.ask("/client/v4/zones/ZONE/client_certificates", per_page=100)
    assert {one["status"] for one in certificates} == {"active", "revoked"}
    assert min(one["validity_days"] for one in certificates) < 30


def test_there_are_counts_of_the_past(demo: Demo) -> None:
    metrics = demo.ask("/hauberk/v1/zones/ZONE/operation-metrics", per_page=100, since="2020-01-01T00:00:00Z")
    by_endpoint = {one["endpoint"]: one for one in metrics if one["method"] == "GET"}
    assert by_endpoint["/v1/products"]["requests"] > 500
    assert by_endpoint["/v1/products"]["latency_ms"]["p50"] > 10
    hours = demo.ask(
        f"/hauberk/v1/zones/ZONE/operations/{by_endpoint['/v1/products']['operation_id']}/metrics", since="2020-01-01T00:00:00Z"
    )
    assert len(hours["hours"]) > 48


def test_schemas_are_uploaded_learned_and_applied(demo: Demo) -> None:
    (uploaded,) = demo.ask("/client/v4/zones/ZONE/schema_validation/schemas")
    assert uploaded["name"] == "partners"
    learned = demo.ask("/hauberk/v1/zones/ZONE/learning/operations", per_page=100)
    assert len([one for one in learned if one["state"] == "schema_learned"]) >= 10
    actions = demo.ask("/client/v4/zones/ZONE/schema_validation/settings/operations", per_page=100)
    assert {one["mitigation_action"] for one in actions} == {"log", "block"}


def test_attackers_and_strangers_are_refused_and_told_of(demo: Demo) -> None:
    def seen() -> set[tuple[str, str]]:
        events = demo.ask("/client/v4/zones/ZONE/security_events", per_page=1000)
        return {(event["source"], event["action"]) for event in events}

    wanted = {
        ("firewallCustom", "block"),
        ("firewallCustom", "log"),
        ("apiShieldSchemaValidation", "block"),
        ("apiShieldSchemaValidation", "log"),
    }
    eventually(lambda: wanted <= seen(), SHOWN_SECONDS)


def test_the_release_raises_alerts_on_drift(demo: Demo) -> None:
    eventually(lambda: bool(demo.ask("/hauberk/v1/zones/ZONE/alerts")), SHOWN_SECONDS)
    kinds = {one["kind"] for one in demo.ask("/hauberk/v1/zones/ZONE/alerts")}
    assert kinds <= {"new_parameter", "new_member"}


def test_who_keeps_to_the_schema_is_let_through(demo: Demo) -> None:
    blocked = demo.ask("/client/v4/zones/ZONE/security_events", per_page=1000, host="partners.example.com", action="block")
    # Attackers bend one operation alone.
    assert {event["path"] for event in blocked} <= {"/stock"}


def test_it_takes_no_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    command = [sys.executable, "-m", "hauberk.cli", "demo", "--traffic", "--folder", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode != 0
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_signal_in_the_midst_of_a_visit_is_no_failure() -> None:
    program = """if True:
        import asyncio
        from hauberk.demo.traffic import take_signals_as_ctrl_c

        async def visit():
            while True:
                sum(range(10_000))
                await asyncio.sleep(0)

        async def play():
            async with asyncio.TaskGroup() as group:
                group.create_task(visit())
                print("playing", flush=True)
                while True:
                    await asyncio.sleep(0.01)

        async def main():
            playing = asyncio.create_task(play())
            while not playing.done():
                await asyncio.sleep(0.5)

        take_signals_as_ctrl_c()
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("stopped")
    """
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "playing\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == ("stopped\n", "")
