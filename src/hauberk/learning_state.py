"""How learning stands for an operation, in the words of REST, command line and dashboard."""

from __future__ import annotations

from enum import StrEnum


class LearningState(StrEnum):
    """What learning has come to."""

    NO_RESULT = "no_result"
    LEARNING = "learning"
    LEARNED = "schema_learned"
    NO_TRAFFIC = "no_usable_traffic"
    FAILED = "learning_failed"


class RunState(StrEnum):
    """What the background work of a zone is doing."""

    IDLE = "idle"
    REQUESTED = "requested"
    RUNNING = "running"
    WAITING = "waiting_to_retry"


NO_BODIES = (
    'requests of this operation have bodies, but none is recorded, so only their parameters are learned: set traffic.bodies to "json", '
    "at the settings of the dashboard, with `hauberk settings set`, or in hauberk.toml"
)


def told(state: LearningState, requests: int, min_requests: int, window_days: int, error: str | None = None) -> str:
    """
    Say a state in words.

    >>> told(LearningState.LEARNING, 412, 1000, 7)
    'Learning: 412 of about 1,000 requests'
    """
    days = f"{window_days} days" if window_days > 1 else "day"
    return {
        LearningState.NO_RESULT: "No learning result recorded",
        LearningState.LEARNING: f"Learning: {requests:,} of about {min_requests:,} requests",
        LearningState.LEARNED: f"Schema learned from {requests:,} requests",
        LearningState.NO_TRAFFIC: f"No usable traffic: no successful request was recorded in the last {days}",
        LearningState.FAILED: f"Learning failed: {error or 'the log of the control plane has the reason'}",
    }[state]
