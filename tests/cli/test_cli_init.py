"""The settings file that `hauberk init` writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from hauberk import config

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


def tables(model: type[BaseModel]) -> list[str]:
    return list(model.model_fields)


def test_it_means_the_defaults(run: Run) -> None:
    run("init", "hauberk.toml")
    written = config.load(Path("hauberk.toml"), {})
    default = config.load(None, {})
    assert written.model_copy(update={"zones": []}) == default
    assert [(zone.name, [host.name for host in zone.hosts]) for zone in written.zones] == [("example.com", ["api.example.com"])]


def test_uncommented_it_is_still_valid(run: Run) -> None:
    run("init")
    text = Path("hauberk.toml").read_text()
    everything = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    Path("all.toml").write_text(everything)
    loaded = config.load(Path("all.toml"), {})
    assert loaded.gateway == config.GatewaySettings()
    assert loaded.zones[0].hosts[0].certificate is not None


@pytest.mark.parametrize(
    "table",
    [
        config.Settings,
        config.ControlPlaneSettings,
        config.AuthoritySettings,
        config.GatewaySettings,
        config.LimitSettings,
        config.EventSettings,
        config.TrafficSettings,
        config.ZoneSettings,
        config.HostSettings,
    ],
)
def test_each_key_is_there_with_its_sentence(run: Run, table: type[BaseModel]) -> None:
    run("init")
    text = " ".join(line.removeprefix("# ") for line in Path("hauberk.toml").read_text().splitlines())
    for name, field in table.model_fields.items():
        assert name in text
        if name not in {"zones", "hosts"} and not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            assert field.description
            assert field.description in text


def test_a_file_that_is_there_is_left_alone(run: Run) -> None:
    Path("hauberk.toml").write_text("mine")
    assert "exists already" in run("init", ok=False).err
    assert Path("hauberk.toml").read_text() == "mine"


def test_host_and_upstream_can_be_given(run: Run) -> None:
    run("init", "--host", "shop.example.org", "--upstream", "https://10.0.0.1:8443")
    zone = config.load(Path("hauberk.toml"), {}).zones[0]
    assert (zone.name, zone.hosts[0].name, zone.hosts[0].upstreams) == ("example.org", "shop.example.org", ["https://10.0.0.1:8443"])


@pytest.mark.parametrize("wrong", [("--host", "no spaces"), ("--upstream", "127.0.0.1"), ("--zone", "example.net")])
def test_what_could_not_be_loaded_is_not_written(run: Run, wrong: tuple[str, str]) -> None:
    assert run("init", *wrong, ok=False).status == 2
    assert not Path("hauberk.toml").exists()
