"""Rungs of characters: each holds what it says, and what the one before holds."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from hauberk.learning.ladder import LADDER, tightest


def test_each_rung_holds_the_one_before() -> None:
    for text in ("0", "a", "_", ".", "/", " ", "é", "(", "\n", "\t"):
        held = [bool(re.search(rung.pattern, text)) for rung in LADDER]
        assert held == sorted(held), text


@given(st.text(st.characters(max_codepoint=0x7F), max_size=20))
def test_a_pattern_and_its_classes_agree(text: str) -> None:
    rung = tightest(classes_of(text))
    if rung < len(LADDER):
        assert re.search(LADDER[rung].pattern[:-1] + r"\Z", text)


def classes_of(text: str) -> set[str]:
    found = set()
    for character in text:
        if character.isalnum():
            found.add("lower" if character.islower() else "upper" if character.isupper() else "digit")
        elif character == " ":
            found.add("space")
        elif character in "\r\n":
            found.add("line-break")
        else:
            found.add("control" if character < " " or character == "\x7f" else character)
    return found
