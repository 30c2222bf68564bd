"""`hauberk settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


def test_a_setting_is_shown_changed_and_set_back(hauberk: Run) -> None:
    assert "default" in hauberk("settings", "show", "traffic.keep_days").out
    ran = hauberk("settings", "set", "traffic.keep_days", "14")
    assert ran.err == "traffic.keep_days is 14, in force at once\n"
    shown = {one["key"]: one for one in hauberk("settings", "show", "--json").json}
    assert (shown["traffic.keep_days"]["value"], shown["traffic.keep_days"]["source"]) == (14, "changed")
    assert "30 again" in hauberk("settings", "unset", "traffic.keep_days").err


def test_words_and_switches_are_values_too(hauberk: Run) -> None:
    assert hauberk("settings", "set", "traffic.bodies", "json", "--json").json["value"] == "json"
    assert hauberk("settings", "set", "learning.enabled", "false", "--json").json["value"] is False
    assert "in force at once" in hauberk("settings", "set", "traffic.sample_rate", "0.5").err


def test_what_cannot_be_is_said(hauberk: Run) -> None:
    assert "greater than or equal to 1" in hauberk("settings", "set", "traffic.keep_days", "0", ok=False).err
    assert "did you mean" in hauberk("settings", "set", "trafic.keep_days", "1", ok=False).err
    assert "no setting" in hauberk("settings", "show", "nothing", ok=False).err
