"""Cookies are believed only as they were made, by the same key."""

from __future__ import annotations

from string import ascii_letters, digits

import pytest

from hauberk.access.seal import Seal, new_secret

SEAL = Seal(b"k" * 32)


def test_what_was_sealed_opens() -> None:
    secret = new_secret()
    assert SEAL.open(SEAL.seal(secret)) == secret
    assert Seal(b"k" * 32).open(SEAL.seal(secret)) == secret


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[:-1],
        lambda c: "x" + c,
        lambda c: c.upper(),
        lambda c: c.partition(".")[0],
        lambda _: "",
        lambda _: "\u00fc.é",
        lambda _: "\udc80.x",
    ],
)
def test_what_was_changed_does_not(change: object) -> None:
    assert SEAL.open(change(SEAL.seal("Secret-text"))) is None  # type: ignore[operator]


def test_no_cookie_can_be_written_in_another_way() -> None:
    for number in range(64):  # a signature ends with one of sixteen characters
        cookie = SEAL.seal(f"secret-{number}")
        assert [end for end in ascii_letters + digits + "-_=" if SEAL.open(cookie[:-1] + end)] == [cookie[-1]]
        assert SEAL.open(cookie + "=") is None


def test_another_key_does_not_open_it_nor_does_another_purpose() -> None:
    assert Seal(b"l" * 32).open(SEAL.seal("secret")) is None
    assert SEAL.open(f"secret.{SEAL.form_token('secret')}") is None


def test_a_form_belongs_to_one_secret() -> None:
    token = SEAL.form_token("one")
    assert SEAL.is_form_token("one", token)
    for wrong in (SEAL.form_token("two"), "", "ü", "\udc80", token + "x"):
        assert not SEAL.is_form_token("one", wrong)
