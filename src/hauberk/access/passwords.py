"""
Passwords: argon2id hashes, with bounded work.

A hash takes 64 MiB and some 50 ms of several cores. So few are computed at a time and few may wait for that; whoever comes beyond is
sent away, and a flood of sign-ins takes neither the memory nor the threads that serve everybody else.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hauberk.errors import InvalidRequest
from hauberk.turns import Turns

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 1024

AT_ONCE, WAITING = 2, 8
BUSY_SECONDS = 3


def check_password(password: str) -> str:
    """
    Check a new password: only its length counts.

    Raises:
        InvalidRequest: If it is too short or too long.
    """
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise InvalidRequest(
            f"a password has {LEAST_CHARACTERS} to {MOST_CHARACTERS:,} characters, any characters: a few words are fine",
            pointer="/password",
        )
    return password


class Passwords:
    """
    Makes and checks hashes.

    Args:
        hasher: Its parameters; default: those of argon2-cffi, which are the second of RFC 9106.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        busy = "too many passwords are being checked at the moment: try again in a few seconds"
        self._turns = Turns(AT_ONCE, WAITING, busy, BUSY_SECONDS)

    def hash(self, password: str) -> str:
        """
        Hash a password, salted; the hash tells its own parameters.

        Raises:
            TooManyRequests: If too many wait already.
        """
        with self._turns.turn():
            return self._hasher.hash(_normal(password))

    def is_right(self, hash_: str | None, password: str) -> bool:
        """
        Tell whether a password belongs to a hash.

        Args:
            hash_: The hash; with `None` the answer is no and takes as long.

            password: The password.

        Raises:
            TooManyRequests: If too many wait already.
        """
        with self._turns.turn():
            nobodys = self._nobodys
            try:
                right = self._hasher.verify(hash_ or nobodys, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
            return right and hash_ is not None

    def is_outdated(self, hash_: str) -> bool:
        """Tell whether a hash was made with other parameters than new ones are."""
        return self._hasher.check_needs_rehash(hash_)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("a password that nobody has")


def _normal(password: str) -> str:
    """Give one form of characters that keyboards compose in different ways (RFC 8265, section 4.2.1)."""
    return unicodedata.normalize("NFC", password)
