"""What is said of applying learned schemas, in the `messages` of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hauberk.mitigation import MitigationAction
from hauberk.storage.applied_schemas import Applied
from hauberk.storage.models import Zone

UNAFFECTED = 320
"""Message: an uploaded schema is in force, so nothing was applied."""

STARTS_IN_LOG = 321
"""Message: the operation's action is `log` from now on."""

NOTHING_CHANGED = 322
"""Message: that version is in force already."""

DOES_NOTHING = 323
"""Message: the schema is in force, but the zone's actions make it do nothing."""

NOTHING_LEARNED = 324
"""Message: no schema was learned of the operation yet."""


def messages_about(zone: Zone, applied: Sequence[Applied]) -> list[dict[str, Any]]:
    """Say what came of applying, a message for each kind."""
    by_code: dict[int, list[str]] = {}
    for one in applied:
        name = f"{one.operation.method} {one.operation.host}{one.operation.endpoint}"
        for code in _codes(zone, one):
            by_code.setdefault(code, []).append(name)
    return [{"code": code, "message": f"{_named(names)}: {_MEANINGS[code]}"} for code, names in sorted(by_code.items())]


_MEANINGS = {
    UNAFFECTED: "unaffected, because an uploaded schema is in force, which a learned one never replaces",
    STARTS_IN_LOG: "violations are logged and refuse nothing; look at the events, then set the action block",
    NOTHING_CHANGED: "this version is in force already",
    DOES_NOTHING: "in force, but requests are not judged: the operation's action, the zone's default or its override is none",
    NOTHING_LEARNED: "nothing was applied, because no schema was learned yet",
}


def _codes(zone: Zone, one: Applied) -> list[int]:
    if one.outcome == "unaffected":
        return [UNAFFECTED]
    if one.outcome == "nothing_learned":
        return [NOTHING_LEARNED]
    codes = [NOTHING_CHANGED] if one.outcome == "unchanged" else []
    codes += [STARTS_IN_LOG] if one.starts_in_log else []
    action = zone.override_action or one.operation.mitigation_action or zone.default_action
    return codes + ([DOES_NOTHING] if action == MitigationAction.NONE else [])


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
