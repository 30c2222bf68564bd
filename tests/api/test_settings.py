"""Settings that are tuned while hauberk runs, over REST: shown with their source, changed, in force, and refused where a file says them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import LiveControlPlane, serve_control_plane, settings_for
from hauberk.config import Settings
from hauberk.pipeline import ControlPlane
from hauberk.tunable import TUNABLE, Source, laid_over

PATH = "/hauberk/v1/settings"


@pytest.fixture
def http(control_plane: LiveControlPlane) -> Iterator[httpx.Client]:
    with control_plane.client() as client:
        yield client


def listed(http: httpx.Client) -> dict[str, dict[str, Any]]:
    return {one["key"]: one for one in http.get(PATH).raise_for_status().json()["result"]}


def test_each_is_shown_with_its_default_bounds_unit_and_source(http: httpx.Client) -> None:
    settings = listed(http)
    assert list(settings) == list(TUNABLE)
    kept = settings["traffic.keep_days"]
    assert (kept["value"], kept["default"], kept["unit"], kept["kind"]) == (30, 30, "days", "integer")
    assert (kept["least"], kept["most"], kept["source"], kept["changeable"]) == (1, 3650, "default", True)
    assert settings["traffic.bodies"]["choices"] == ["none", "json"]
    assert (settings["discovery.min_score"]["kind"], settings["discovery.min_score"]["value"]) == ("number", None)
    assert settings["learning.enabled"]["kind"] == "boolean"
    assert {one["effect"] for one in settings.values()} == {"at_once", "next_run"}


def test_a_change_is_in_force_at_once_and_can_be_taken_back(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    plane = control_plane.plane
    changes = {
        "events.keep_days": 3,
        "discovery.min_requests": 7,
        "learning.enabled": False,
        "alerts.min_samples": 4,
        "traffic.keep_days": 2,
    }
    answer = http.patch(PATH, json=changes)
    assert answer.status_code == 200, answer.text
    changed = {one["key"]: one for one in answer.json()["result"] if one["source"] == "changed"}
    assert {key: one["value"] for key, one in changed.items()} == changes
    assert all(one["changed_at"] for one in changed.values())
    assert plane.settings.events.keep_days == 3
    assert plane.inventory.thresholds.min_requests == 7
    assert not plane.learning.is_ready()
    assert plane.drift.enough.samples == 4
    assert plane.traffic.keep_days == 2
    http.patch(PATH, json=dict.fromkeys(changes))
    assert {one["source"] for one in listed(http).values()} == {"default"}
    assert plane.inventory.thresholds.min_requests == 500


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"traffic.keep_days": 0}, "greater than or equal to 1"),
        ({"traffic.keep_days": "3"}, "integer"),
        ({"traffic.keep_days": True}, "integer"),
        ({"traffic.sample_rate": 1.5}, "less than or equal to 1"),
        ({"traffic.bodies": "all"}, "'none' or 'json'"),
        ({"traffic.keep_dais": 3}, "did you mean 'traffic.keep_days'?"),
        ({"control_plane.listen": "0.0.0.0:80"}, "no setting that can be changed"),
        ({"alerts.webhook_url": "http://x"}, "no setting that can be changed"),
        ({}, "at least 1"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_changes(http: httpx.Client, changes: dict[str, Any], part: str) -> None:
    answer = http.patch(PATH, json={"events.keep_days": 5, **changes} if changes else {})
    assert answer.status_code == 400
    assert part in answer.json()["errors"][0]["message"]
    assert listed(http)["events.keep_days"]["source"] == "default"


def test_changes_outlive_a_restart_and_the_file_is_stronger(state_dir: Path) -> None:
    with serve_control_plane(state_dir) as live, live.client() as http:
        http.patch(PATH, json={"events.keep_days": 3, "events.keep_count": 10}).raise_for_status()
    settings = settings_for(state_dir, "127.0.0.1:8080")
    declared = Settings.model_validate(settings.model_dump(exclude_unset=True) | {"events": {"keep_days": 9}})
    plane = ControlPlane(declared)
    assert (plane.settings.events.keep_days, plane.settings.events.keep_count) == (9, 10)
    plane.close()


def test_what_the_environment_sets_is_changed_there(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAUBERK_TRAFFIC__KEEP_DAYS", "30")
    assert listed(http)["traffic.keep_days"]["source"] == "environment"
    answer = http.patch(PATH, json={"traffic.keep_days": 3})
    assert answer.status_code == 409
    assert "HAUBERK_TRAFFIC__KEEP_DAYS" in answer.json()["errors"][0]["message"]


def test_a_reader_may_look_and_not_touch(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    token = http.post("/hauberk/v1/tokens", json={"name": "r", "scope": "read"}).json()["result"]["token"]
    with control_plane.client(token) as reader:
        assert reader.get(PATH).status_code == 200
        assert reader.patch(PATH, json={"events.keep_days": 3}).status_code == 403


def test_a_gateway_is_told_of_what_concerns_it(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    http.patch(PATH, json={"traffic.keep_days": 3, "events.keep_days": 3}).raise_for_status()
    heartbeat = {"name": "g", "version": None, "started_at": "2026-01-01T00:00:00Z"}
    with control_plane.client(control_plane.gateway_token) as gateway:
        told = gateway.put("/hauberk/v1/gateways/x", json=heartbeat).json()["result"]["settings"]
    assert told == {"traffic.keep_days": 3}


def test_what_gateways_work_by_makes_another_version_and_nothing_else_does(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    def raised(**changes: Any) -> int:
        before = control_plane.plane.revision()
        http.patch(PATH, json={key.replace("__", "."): value for key, value in changes.items()}).raise_for_status()
        return control_plane.plane.revision() - before

    assert raised(events__keep_days=3, discovery__min_requests=7) == 0
    assert raised(traffic__sample_rate=0.5, traffic__bodies="json", events__keep_days=4) == 1
    assert raised(traffic__sample_rate=0.5) == 0
    assert raised(traffic__sample_rate=None) == 1
    assert raised(traffic__sample_rate=None) == 0
    assert http.patch(PATH, json={"traffic.sample_rate": 0.5, "traffic.bodies": "all"}).status_code == 400
    assert raised(traffic__bodies="json") == 0


def test_what_the_file_sets_by_now_is_not_told_to_gateways(state_dir: Path) -> None:
    with serve_control_plane(state_dir) as live, live.client() as http:
        http.patch(PATH, json={"traffic.keep_days": 3, "traffic.sample_rate": 0.5}).raise_for_status()
    settings = settings_for(state_dir, "127.0.0.1:8080", traffic={"keep_days": 9})
    plane = ControlPlane(settings)
    assert plane.settings_for_gateways() == {"traffic.sample_rate": 0.5}
    plane.close()


def test_another_control_plane_follows(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    other = ControlPlane(control_plane.plane.declared)
    http.patch(PATH, json={"events.keep_days": 3}).raise_for_status()
    other.follow_settings()
    assert other.settings.events.keep_days == 3
    other.close()


def test_values_that_are_none_any_more_are_left_out() -> None:
    settings = Settings()
    assert laid_over(settings, {"events.keep_days": -1, "of.another_version": 1, "events.keep_count": 5}, {}).events.keep_count == 5
    assert laid_over(settings, {"events.keep_days": -1}, {}).events.keep_days == settings.events.keep_days


def test_the_file_and_the_environment_are_told_apart() -> None:
    one = TUNABLE["events.keep_days"]
    settings = Settings.model_validate({"events": {"keep_days": 30}})
    assert one.declared_in(settings, {}) is Source.FILE
    assert one.declared_in(settings, {"HAUBERK_EVENTS__KEEP_DAYS": "3"}) is Source.ENVIRONMENT
    assert one.declared_in(Settings(), {}) is Source.DEFAULT
