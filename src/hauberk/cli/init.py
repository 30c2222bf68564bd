"""`hauberk init`: a settings file that explains itself, made from the settings' own declarations."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hauberk import config
from hauberk.cli import files
from hauberk.cli.failure import Failure
from hauberk.cli.output import Output
from hauberk.cli.remote import DEFAULT_CONFIG

_WIDTH = 100
# Written out rather than commented out: what nearly everyone looks at first.
_SHOWN = frozenset({"state_dir", "control_plane.listen", "gateway.https", "gateway.http", "gateway.threads"})
# Keys without a default show what one could write.
_EXAMPLES: dict[str, Any] = {
    "control_plane.certificate": "control-plane.pem",
    "control_plane.private_key": "control-plane.key",
    "control_plane.public_url": "https://hauberk.example.com:8080",
    "control_plane.database_url": "postgresql://hauberk@db.example.com/hauberk",
    "events.file": "events.jsonl",
    "discovery.min_score": 0.5,
    "traffic.store": "traffic",
    "alerts.webhook_url": "https://hooks.example.com/hauberk",
    "alerts.webhook_secret_file": "webhook-secret",
    "zones.hosts.certificate": "server.pem",
    "zones.hosts.private_key": "server.key",
}


def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = DEFAULT_CONFIG,
    host: Annotated[str, typer.Option(help="The first host to serve.")] = "api.example.com",
    upstream: Annotated[str, typer.Option(help="Where its requests go: http://HOST:PORT or https://HOST:PORT.")] = "http://127.0.0.1:9000",
    zone: Annotated[
        str | None,
        typer.Option(help="The domain the host belongs to. Default: the host's name without its first part.", show_default=False),
    ] = None,
) -> None:
    """
    Write a commented settings file. One that is there is never overwritten.

    \b
    Example:
      hauberk init --host api.example.com --upstream http://127.0.0.1:9000
      hauberk up
    """
    try:
        name, origin = config.host_name(host), config.upstream_url(upstream)
        zone_name = config.host_name(zone) if zone is not None else _zone_of(name)
    except ValueError as error:
        raise Failure(f"'{host}' or '{upstream}': {error}", status=2) from None
    if name.removeprefix("*.") != zone_name and not name.endswith(f".{zone_name}"):
        raise Failure(f"the host '{name}' is not at or below the zone '{zone_name}'", status=2)
    files.refuse_existing([file], force=False)
    files.write(file, settings_text(zone_name, name, origin))
    out = Output()
    out.say(f"Wrote {file}: {name} will be served on port {_port()}, from {origin}")
    out.say("next: " + ("hauberk up" if file == DEFAULT_CONFIG else f"hauberk up --config {file}"))


def settings_text(zone: str, host: str, upstream: str) -> str:
    """
    Write the whole settings file: each key with its sentence and its default.

    Args:
        zone: Name of the first zone.

        host: Name of its first host.

        upstream: Where that host's requests go.
    """
    lines = [
        "# hauberk's settings. Commented keys show their default. Relative paths are relative to this file.",
        "# The environment wins over this file: HAUBERK_STATE_DIR, HAUBERK_GATEWAY__THREADS, and so on.",
        "",
    ]
    tables: list[tuple[str, FieldInfo]] = []
    for name, field in config.Settings.model_fields.items():
        if name == "zones":
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            tables.append((name, field))
        else:
            lines += _key(name, name, field)
    for name, field in tables:
        table = field.annotation
        assert isinstance(table, type)  # noqa: S101 - only tables were collected
        assert issubclass(table, BaseModel)  # noqa: S101
        lines += [*_comment(_first_sentence(table)), f"[{name}]"]
        for key, inner in table.model_fields.items():
            lines += _key(key, f"{name}.{key}", inner)
    return "\n".join(lines + _zones(zone, host, upstream))


def _zones(zone: str, host: str, upstream: str) -> list[str]:
    given = {"name": host, "upstreams": [upstream]}
    lines = [
        *_comment(_first_sentence(config.ZoneSettings)),
        "[[zones]]",
        *_comment(config.ZoneSettings.model_fields["name"].description or ""),
    ]
    lines += [f"name = {_toml(zone)}", "", *_comment(_first_sentence(config.HostSettings)), "[[zones.hosts]]"]
    for key, field in config.HostSettings.model_fields.items():
        if key in given:
            lines += [*_comment(field.description or ""), f"{key} = {_toml(given[key])}", ""]
        else:
            lines += _key(key, f"zones.hosts.{key}", field)
    return lines


def _key(name: str, place: str, field: FieldInfo) -> list[str]:
    default = field.get_default()
    value = _EXAMPLES[place] if default is None else str(default) if isinstance(default, Path) else default
    if default == Path("./state"):
        value = "./state"
    return [*_comment(field.description or ""), ("" if place in _SHOWN else "# ") + f"{name} = {_toml(value)}", ""]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH - 2)]


def _first_sentence(table: type[BaseModel]) -> str:
    return " ".join((table.__doc__ or "").split())


def _toml(value: Any) -> str:
    """Render a default; JSON's strings, numbers, booleans and lists are TOML's too."""
    return json.dumps(value, ensure_ascii=False)


def _zone_of(host: str) -> str:
    labels = host.removeprefix("*.").split(".")
    return ".".join(labels if host.startswith("*.") or len(labels) < 3 else labels[1:])


def _port() -> int:
    return config.split_address(config.GatewaySettings().https[0])[1]
