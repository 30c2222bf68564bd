"""Passwords: checked in the same way for everybody, with bounded work."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher

from conftest import eventually
from hauberk.access.passwords import AT_ONCE, WAITING, Passwords, check_password
from hauberk.errors import InvalidRequest, TooManyRequests

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Held(PasswordHasher):
    """Computes for as long as it is held."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.go = threading.Event()
        self.computing = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.computing += 1
        assert self.go.wait(20)
        return super().hash(password, salt=salt)


def test_the_right_password_is_right_and_others_are_not() -> None:
    passwords = Passwords(CHEAP)
    hash_ = passwords.hash("correct horse battery")
    assert hash_.startswith("$argon2id$")
    assert passwords.is_right(hash_, "correct horse battery")
    assert not passwords.is_right(hash_, "correct horse batterY")
    assert not passwords.is_right("no hash at all", "correct horse battery")


def test_nobody_has_a_password() -> None:
    passwords = Passwords(CHEAP)
    for password in ("", "a password that nobody has"):
        assert not passwords.is_right(None, password)


def test_two_ways_to_compose_a_character_are_one_password() -> None:
    passwords = Passwords(CHEAP)
    assert passwords.is_right(passwords.hash("z\u00fcrich am morgen"), "zu\u0308rich am morgen")


def test_a_hash_of_other_parameters_is_outdated() -> None:
    hash_ = Passwords(CHEAP).hash("correct horse battery")
    assert Passwords().is_outdated(hash_)
    assert not Passwords(CHEAP).is_outdated(hash_)
    assert Passwords().is_right(hash_, "correct horse battery")


@pytest.mark.parametrize(
    ("password", "good"), [("a" * 11, False), ("a" * 12, True), (" " * 12, True), ("é" * 1024, True), ("a" * 1025, False)]
)
def test_only_the_length_of_a_new_password_counts(password: str, good: bool) -> None:
    if good:
        assert check_password(password) == password
    else:
        with pytest.raises(InvalidRequest, match="12 to 1,024 characters") as error:
            check_password(password)
        assert password not in error.value.message


def test_a_flood_is_sent_away_and_those_before_it_are_served() -> None:
    hasher = Held()
    passwords = Passwords(hasher)
    done: list[str] = []
    threads = [threading.Thread(target=lambda: done.append(passwords.hash("correct horse"))) for _ in range(AT_ONCE + WAITING)]
    for thread in threads:
        thread.start()
    eventually(lambda: hasher.computing == AT_ONCE and sum(thread.is_alive() for thread in threads) == AT_ONCE + WAITING)
    eventually(lambda: passwords._turns._places._value == 0)
    with pytest.raises(TooManyRequests):
        passwords.is_right(None, "whatever")
    assert hasher.computing == AT_ONCE
    hasher.go.set()
    for thread in threads:
        thread.join()
    assert len(done) == AT_ONCE + WAITING
    assert passwords.is_right(done[0], "correct horse")
