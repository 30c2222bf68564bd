"""Ours: settings that are tuned while hauberk runs. What `hauberk.toml` or the environment sets is shown here, and changed there."""

from __future__ import annotations

import os
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane
from hauberk.api.envelope import success
from hauberk.errors import Conflict, InvalidRequest
from hauberk.pipeline import ControlPlane
from hauberk.storage.changed_settings import change_setting, changed_settings, forget_setting
from hauberk.storage.database import raise_revision
from hauberk.tunable import TUNABLE, Source, Tunable, find

own = APIRouter(tags=["settings"], dependencies=[Owner])

Changes = Annotated[
    dict[str, Any],
    Body(
        min_length=1, max_length=len(TUNABLE), description='Values by key, e.g. `{"traffic.keep_days": 14}`; null goes back to the default'
    ),
]


@own.get("/settings")
def list_settings(plane: Plane) -> JSONResponse:
    """List the settings that can be tuned while hauberk runs: value, unit, default, bounds, source, and when a change is in force."""
    return success(_listed(plane))


@own.patch("/settings")
def change_settings(plane: Plane, body: Changes) -> JSONResponse:
    """
    Change settings; all of them or none. The answer is what GET gives.

    409 if `hauberk.toml` or the environment sets one: it is changed there. Null goes back to the default. Where gateways work by one of
    them, a gateway that enforces the version after the change (`/hauberk/v1/status`) does so by the new values.
    """
    checked = {one: _checked(one, value) for one, value in _named(plane, body)}
    with plane.database.write() as session:
        before = changed_settings(session)
        for one, value in checked.items():
            if one.is_of_gateways and value != (before[one.key].value if one.key in before else None):
                raise_revision(session)
            if value is None:
                forget_setting(session, one.key)
            else:
                change_setting(session, one.key, value)
    plane.follow_settings()
    return success(_listed(plane))


def _named(plane: ControlPlane, body: dict[str, Any]) -> list[tuple[Tunable, Any]]:
    named = []
    for key, value in body.items():
        try:
            one = find(key)
        except ValueError as error:
            raise InvalidRequest(str(error), pointer="/") from None
        match one.declared_in(plane.declared, os.environ):
            case Source.FILE:
                raise Conflict(f"{key} is set in hauberk.toml: change it there and restart hauberk")
            case Source.ENVIRONMENT:
                raise Conflict(f"{key} is set by the variable {one.variable}: change it there and restart hauberk")
        named.append((one, value))
    return named


def _checked(one: Tunable, value: Any) -> Any:
    if value is None:
        return None
    try:
        return one.checked(value)
    except ValueError as error:
        raise InvalidRequest(f"{one.key}: {error}", pointer=f"/{one.key}") from None


def _listed(plane: ControlPlane) -> list[dict[str, Any]]:
    with plane.database.read() as session:
        changed = changed_settings(session)
    return [_render(plane, one, changed[one.key].changed_at.isoformat() if one.key in changed else None) for one in TUNABLE.values()]


def _render(plane: ControlPlane, one: Tunable, changed_at: str | None) -> dict[str, Any]:
    source = one.declared_in(plane.declared, os.environ)
    changeable = source is Source.DEFAULT
    if changeable and changed_at is not None:
        source = Source.CHANGED
    return {
        "key": one.key,
        "value": one.of(plane.settings),
        "default": one.field.get_default(),
        "unit": one.unit,
        "description": one.field.description,
        **_bounds(one),
        "source": source.value,
        "variable": one.variable,
        "changeable": changeable,
        "changed_at": changed_at if changeable else None,
        "effect": one.effect.value,
    }


def _bounds(one: Tunable) -> dict[str, Any]:
    """Tell what a value may be: its kind, the least and most, or the words to choose from."""
    annotation = one.field.annotation
    words = [word for word in get_args(annotation) if isinstance(word, str)]
    kind = next((kind for kind in (bool, int, float) if kind in {annotation, *get_args(annotation)}), str)
    limits: dict[str, Any] = {}
    for constraint in one.field.metadata:
        for name, told in (("ge", "least"), ("gt", "least"), ("le", "most"), ("lt", "most")):
            if (value := getattr(constraint, name, None)) is not None:
                limits[told] = value
    names = {bool: "boolean", int: "integer", float: "number", str: "choice"}
    return {"kind": names[kind], "least": limits.get("least"), "most": limits.get("most"), "choices": words or None}
