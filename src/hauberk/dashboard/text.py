"""How values stand on a page: numbers, sizes and times for people, and text from strangers so that it can only be read."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

_VARIABLE = re.compile(r"(\{[^{}/]*\})")
_KEPT = frozenset("\n\r\t")

NOTHING = "\u2013"
"""Stands where a value is missing."""


def visible(value: Any) -> Any:
    """
    Show control and formatting characters as escapes, such as `\\u202e`, so that a text cannot hide or reorder what stands beside it.

    Markup and anything but text is left as it is; what forms send back unchanged goes through `exact` instead.
    """
    if not isinstance(value, str) or isinstance(value, Markup) or (value.isascii() and value.isprintable()):
        return value
    return "".join(
        character
        if character in _KEPT or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        else _escaped(character)
        for character in value
    )


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def exact(value: Any) -> Markup:
    """Escape a text for a form's field, which has to send back just this text."""
    return escape("" if value is None else str(value).encode(errors="replace").decode())


def json_text(value: Any, most: int = 160) -> str:
    """Write a value of a document as JSON, cut where it is long."""
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= most else f"{written[:most]}…"


def pieces(segment: str) -> list[tuple[str, bool]]:
    """Take a segment of a path template apart, and tell which pieces are variables: `{var1}.json` has one, and text behind it."""
    return [(text, place % 2 == 1) for place, text in enumerate(_VARIABLE.split(segment)) if text]


def number(value: float | None, digits: int = 0) -> str:
    """Write a number with thin spaces between thousands: `12 410`."""
    return NOTHING if value is None else f"{value:,.{digits}f}".replace(",", "\u202f")


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share from 0 to 1; what is not quite nothing or all is not written as such."""
    if share is None:
        return NOTHING
    least = 10 ** -(digits + 2)
    if 0 < share < least:
        return f"< {100 * least:g} %"
    if 1 - least < share < 1:
        return f"> {100 * (1 - least):g} %"
    return f"{100 * share:.{digits}f}".rstrip("0").rstrip(".") + " %" if digits else f"{100 * share:.0f} %"


def size(count: float | None) -> str:
    """Write a number of bytes: `3.2 MB`."""
    if count is None:
        return NOTHING
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def seconds(value: float | None) -> str:
    """Write a duration: `340 µs`, `12 ms`, `3.1 s`, `4 min`, `2 h`, `3 days`."""
    if value is None:
        return NOTHING
    # What three digits would round up to the next unit is written in that.
    for factor, unit, below in ((1e6, "µs", 0.9995e-3), (1e3, "ms", 0.9995)):
        if value < below:
            return f"{value * factor:.3g} {unit}"
    for length, unit, below in ((1, "s", 60), (60, "min", 3600), (3600, "h", 2 * 86400)):
        if value < below:
            return f"{value / length:.2g} {unit}" if unit == "s" else f"{value / length:.0f} {unit}"
    return f"{value / 86400:.0f} days"


def moment(value: str | datetime | None) -> datetime | None:
    """Read a time as REST answers it; what is none gives `None`."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if value else None
    except (ValueError, OverflowError):
        return None


def ago(value: str | datetime | None, at: datetime | None = None) -> str:
    """Write how long ago, or in how long: `3 min ago`, `in 12 days`."""
    when = moment(value)
    if when is None:
        return NOTHING
    difference = ((at or datetime.now(UTC)) - when).total_seconds()
    if abs(difference) < 1:
        return "just now"
    length = seconds(round(abs(difference)))
    return f"{length} ago" if difference > 0 else f"in {length}"


def exactly(value: str | datetime | None) -> str:
    """Write a time in full, UTC."""
    when = moment(value)
    return NOTHING if when is None else f"{when:%Y-%m-%d %H:%M:%S} UTC"
