"""Times as people give them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hauberk.cli.failure import Failure

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str | None) -> str | None:
    """
    Read `90s`, `10m`, `2h` or `7d` for so long ago, or a time in RFC 3339, and give it in RFC 3339.

    Raises:
        Failure: If it is neither.
    """
    if text is None:
        return None
    if (ago := _AGO.fullmatch(text)) is not None:
        return (datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(f"'{text}' is no time", "write 90s, 10m, 2h or 7d for so long ago, or 2026-11-22T10:00:00Z", status=2) from None
    return (at if at.tzinfo is not None else at.astimezone()).isoformat()
