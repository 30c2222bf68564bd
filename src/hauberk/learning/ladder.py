"""
Rungs of characters: the tightest that holds all texts seen says what kind of text this is, and a wider one may be asserted.

Most attacks need a character that identifiers, tokens and phrases do not have, so a rung stops them where nothing tighter is known.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

_DIGITS = frozenset({"digit"})
_ALPHANUMERIC = _DIGITS | {"lower", "upper"}
_IDENTIFIER = _ALPHANUMERIC | set("_-")
_NAME = _IDENTIFIER | set(".:@+=,~")
_TOKEN = _NAME | {"/"}
_PHRASE = _TOKEN | {"space", "letter", "other"}
_NO_LINE = frozenset("\"'`<>;|&$\\{}") | {"control", "line-break"}


@dataclass(frozen=True, slots=True)
class Rung:
    """A set of characters."""

    name: str
    classes: frozenset[str]
    """Classes of the profile that are in it; of `is_open` rungs those that are not."""

    pattern: str
    """That a text has only these; the empty text is always one."""

    is_open: bool = False

    def holds(self, classes: Collection[str]) -> bool:
        """Whether texts of these classes have no other characters."""
        return self.classes.isdisjoint(classes) if self.is_open else self.classes.issuperset(classes)


LADDER = (
    Rung("digits", _DIGITS, "^[0-9]*$"),
    Rung("alphanumeric", _ALPHANUMERIC, "^[0-9A-Za-z]*$"),
    Rung("identifier", _IDENTIFIER, "^[0-9A-Za-z_-]*$"),
    Rung("name", _NAME, "^[0-9A-Za-z_.:@+=,~-]*$"),
    Rung("token", _TOKEN, "^[0-9A-Za-z_.:@+=,~/-]*$"),
    # Written by what is left out, since other scripts go beyond what a range of four hexadecimal digits can say.
    Rung("phrase", _PHRASE, "^[^\\x00-\\x1f\\x7f!-*;<>?\\[-^`{-}]*$"),
    Rung("line", _NO_LINE, "^[^\\x00-\\x1f\\x7f\"'`<>;|&$\\\\{}]*$", is_open=True),
    Rung("lines", _NO_LINE - {"line-break"}, "^[^\\x00-\\x09\\x0b\\x0c\\x0e-\\x1f\\x7f\"'`<>;|&$\\\\{}]*$", is_open=True),
    Rung("printable", frozenset({"control"}), "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]*$", is_open=True),
)


def tightest(classes: Collection[str]) -> int:
    """The index of the tightest rung that holds all these classes; beyond the last if none does."""
    return next((index for index, rung in enumerate(LADDER) if rung.holds(classes)), len(LADDER))
