"""
Settings that an owner tunes while hauberk runs: which they are, in which unit, and when a change is in force.

What `hauberk.toml` or the environment sets is changed there. The others can be changed over REST; what was changed is stored, and laid over
the settings here. Each is declared in `config.py`, with its sentence, default and bounds; nothing of that stands here again.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from hauberk.config import ENVIRONMENT_PREFIX, Settings


class Effect(StrEnum):
    """When a change is in force."""

    AT_ONCE = "at_once"
    """At once where it is changed, on gateways when they next ask, and on other control planes within a minute."""

    NEXT_RUN = "next_run"
    """With the next look at the traffic, or the next run of learning."""


class Source(StrEnum):
    """Where a value comes from."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    CHANGED = "changed"


_TUNABLE = {
    "traffic.sample_rate": ("share", Effect.AT_ONCE),
    "traffic.max_per_second": ("exchanges a second", Effect.AT_ONCE),
    "traffic.bodies": ("", Effect.AT_ONCE),
    "traffic.max_body_bytes": ("bytes", Effect.AT_ONCE),
    "traffic.keep_days": ("days", Effect.AT_ONCE),
    "traffic.max_bytes": ("bytes", Effect.AT_ONCE),
    "traffic.metrics_keep_days": ("days", Effect.AT_ONCE),
    "events.keep_days": ("days", Effect.AT_ONCE),
    "events.keep_count": ("events", Effect.AT_ONCE),
    "discovery.window_days": ("days", Effect.NEXT_RUN),
    "discovery.min_requests": ("requests", Effect.NEXT_RUN),
    "discovery.min_score": ("likelihood", Effect.NEXT_RUN),
    "discovery.refresh_seconds": ("seconds", Effect.AT_ONCE),
    "discovery.automatic_session_identifier": ("", Effect.NEXT_RUN),
    "learning.enabled": ("", Effect.AT_ONCE),
    "learning.window_days": ("days", Effect.NEXT_RUN),
    "learning.min_requests": ("requests", Effect.NEXT_RUN),
    "learning.refresh_seconds": ("seconds", Effect.AT_ONCE),
    "learning.version_hours": ("hours", Effect.NEXT_RUN),
    "learning.keep_versions": ("versions", Effect.NEXT_RUN),
    "learning.only": ("", Effect.NEXT_RUN),
    "learning.behind_proxy": ("", Effect.NEXT_RUN),
    "alerts.enabled": ("", Effect.NEXT_RUN),
    "alerts.min_samples": ("requests", Effect.NEXT_RUN),
    "alerts.min_sources": ("callers", Effect.NEXT_RUN),
    "alerts.silent_days": ("days", Effect.AT_ONCE),
    "alerts.silent_requests": ("requests", Effect.AT_ONCE),
}


@dataclass(frozen=True)
class Tunable:
    """A setting that can be changed while hauberk runs."""

    table: str
    name: str
    unit: str
    effect: Effect
    field: FieldInfo

    @property
    def key(self) -> str:
        """Its name as errors and `hauberk.toml` have it, e.g. `traffic.keep_days`."""
        return f"{self.table}.{self.name}"

    @property
    def is_of_gateways(self) -> bool:
        """Whether gateways are told of it."""
        return self.table == "traffic"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"{ENVIRONMENT_PREFIX}{self.table}__{self.name}".upper()

    def of(self, settings: Settings) -> Any:
        """Read its value."""
        return getattr(getattr(settings, self.table), self.name)

    def declared_in(self, settings: Settings, environment: Mapping[str, str]) -> Source:
        """Tell where the settings that hauberk was started with have it from."""
        if any(name.upper() == self.variable for name in environment):
            return Source.ENVIRONMENT
        return Source.FILE if self.name in getattr(settings, self.table).model_fields_set else Source.DEFAULT

    def checked(self, value: Any) -> Any:
        """
        Check a value, as it is checked when a file is read.

        Raises:
            ValueError: If it is none; the message says what it should be.
        """
        table = _table(self.table)
        try:
            return getattr(table.model_validate({self.name: value}, strict=True), self.name)
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def _table(name: str) -> type[BaseModel]:
    table = Settings.model_fields[name].annotation
    assert isinstance(table, type)  # noqa: S101 - each of them is a table
    assert issubclass(table, BaseModel)  # noqa: S101
    return table


TUNABLE = {
    key: Tunable(key.split(".")[0], key.split(".")[1], unit, effect, _table(key.split(".")[0]).model_fields[key.split(".")[1]])
    for key, (unit, effect) in _TUNABLE.items()
}
"""By their keys, in the order they are shown."""


def find(key: str) -> Tunable:
    """
    Find one by its key.

    Raises:
        ValueError: If there is none; the message names what may be meant.
    """
    known = TUNABLE.get(key)
    if known is None:
        near = difflib.get_close_matches(key, TUNABLE, 1, 0.5)
        raise ValueError(
            f"'{key[:80]}' is no setting that can be changed while hauberk runs" + (f"; did you mean '{near[0]}'?" if near else "")
        )
    return known


def laid_over(settings: Settings, changed: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """
    Lay changes over the settings hauberk was started with; what file or environment set, and what is no good value any more, stays.

    Args:
        settings: What file and environment say.

        changed: Values by key.

        environment: The variables that were read.
    """
    tables: dict[str, dict[str, Any]] = {}
    for one, value in _good(changed):
        if one.declared_in(settings, environment) is Source.DEFAULT:
            tables.setdefault(one.table, {})[one.name] = value
    return settings.model_copy(update={name: getattr(settings, name).model_copy(update=values) for name, values in tables.items()})


def _good(changed: Mapping[str, Any]) -> Iterator[tuple[Tunable, Any]]:
    for key, value in changed.items():
        if key in TUNABLE:  # another version of hauberk may have had more
            try:
                yield TUNABLE[key], TUNABLE[key].checked(value)
            except ValueError:
                continue
