"""`hauberk settings`: what is tuned while hauberk runs, and where each value comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hauberk.cli.failure import Failure
from hauberk.cli.output import Cell, printable
from hauberk.cli.remote import Remote, remote

app = typer.Typer(no_args_is_help=True, help="Settings that are tuned while hauberk runs.")

PATH = "/hauberk/v1/settings"
EFFECTS = {"at_once": "at once", "next_run": "with the next run"}

Key = Annotated[str, typer.Argument(help="As in hauberk.toml: traffic.keep_days.", show_default=False)]


@app.command("show")
@remote(zone=False)
def show(
    plane: Remote, key: Annotated[str | None, typer.Argument(help="Only this one, with what it means.", show_default=False)] = None
) -> None:
    """
    List the settings that can be tuned, with value, default, and where the value comes from.

    \b
    Examples:
      hauberk settings show
      hauberk settings show discovery.min_requests
    """
    listed = plane.client.get(PATH)
    if key is None:
        columns: dict[str, Cell] = {
            "SETTING": "key",
            "VALUE": _value,
            "UNIT": "unit",
            "DEFAULT": "default",
            "FROM": "source",
            "CHANGE IN FORCE": _effect,
        }
        plane.out.table(listed, columns, empty="there is nothing to tune")
        return
    fields: dict[str, Cell] = {
        "setting": "key",
        "value": _value,
        "unit": "unit",
        "default": "default",
        "from": "source",
        "change in force": _effect,
    }
    plane.out.object(_find(listed, key), fields | {"meaning": "description"})


@app.command("set")
@remote(zone=False)
def set_(
    plane: Remote, key: Key, value: Annotated[str, typer.Argument(help="The value: 14, 0.25, true or a word.", show_default=False)]
) -> None:
    """
    Change a setting while hauberk runs. What hauberk.toml or the environment sets is changed there.

    \b
    Example:
      hauberk settings set traffic.keep_days 14
    """
    changed = _find(plane.client.patch(PATH, {key: _parsed(value)}), key)
    plane.out.done(f"{key} is {printable(changed['value'])}, in force {_effect(changed)}", changed)


@app.command("unset")
@remote(zone=False)
def unset(plane: Remote, key: Key) -> None:
    """
    Go back to the default of a setting.

    \b
    Example:
      hauberk settings unset traffic.keep_days
    """
    changed = _find(plane.client.patch(PATH, {key: None}), key)
    plane.out.done(f"{key} is {printable(changed['value'])} again, the default; in force {_effect(changed)}", changed)


def _find(listed: list[dict[str, Any]], key: str) -> dict[str, Any]:
    for one in listed:
        if one["key"] == key:
            return one
    raise Failure(f"there is no setting '{key}' that can be tuned", "'hauberk settings show' lists them")


def _value(one: Mapping[str, Any]) -> Any:
    return one["value"]


def _effect(one: Mapping[str, Any]) -> str:
    return EFFECTS.get(str(one["effect"]), str(one["effect"]))


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text
