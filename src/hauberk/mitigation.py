"""What a gateway does about a request that breaks a schema or matches a rule."""

from __future__ import annotations

from enum import StrEnum


class MitigationAction(StrEnum):
    """`none` skips, `log` records an event and lets the request pass, `block` answers 403 and records an event."""

    NONE = "none"
    LOG = "log"
    BLOCK = "block"


class RuleAction(StrEnum):
    """`block` and `log` as for schemas; `skip` leaves the remaining rules out for the request."""

    BLOCK = "block"
    LOG = "log"
    SKIP = "skip"
