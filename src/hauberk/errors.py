"""
Every error hauberk raises on purpose, with the code and HTTP status it has over REST.

    HauberkError
    ├── InvalidRequest          400  the request's form or content is wrong
    │   ├── InvalidCertificateRequest   a CSR that is not signed
    │   ├── InvalidExpression           a rule's expression does not compile
    │   ├── InvalidSchema               an OpenAPI document that is refused
    │   └── InvalidCapture              a capture of traffic that cannot be read at all
    ├── Unauthenticated         401  no credentials, or wrong ones
    ├── Forbidden               403  the credentials' scope does not reach this far
    ├── NotFound                404  the named thing does not exist
    │   └── NoEntrypoint                a phase that has no rules yet
    ├── Conflict                409  it exists already, or is in use
    ├── TooLarge                413  a body over its limit
    ├── TooManyRequests         429  tried too often, or too many at once
    ├── StorageError            500  the database or the state folder cannot be used
    │   └── Unavailable         503     the database does not answer, or others keep it locked
    ├── ConfigurationError           `hauberk.toml`, the environment or a flag is wrong (never over REST)
    └── SnapshotRefused              a gateway will not enforce a snapshot (never over REST)

A message names the thing, what was wrong and what would be right. It never holds a secret or a value from traffic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class HauberkError(Exception):
    """
    The root of the tree.

    Args:
        message: One or two sentences for the person who has to act.

        pointer: JSON pointer to the member of the request that is wrong, e.g. `/csr`.
    """

    code: ClassVar[int] = 1000
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, pointer: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


class InvalidRequest(HauberkError):
    """The request's form or content is wrong."""

    code = 1001
    status = 400


class InvalidCertificateRequest(InvalidRequest):
    """A CSR, or the validity asked for it, that the authority does not sign."""

    code = 1101


class InvalidExpression(InvalidRequest):
    """A rule's expression that does not compile; the message names the column and what was expected there."""

    code = 1201


class InvalidSchema(InvalidRequest):
    """
    An OpenAPI document that is refused.

    Args:
        message: What is wrong in one sentence.

        problems: All that was found, each `{"severity", "code", "message", "locations"}`.
    """

    code = 1301

    def __init__(self, message: str, problems: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message, pointer="/source")
        self.problems = list(problems)


class InvalidCapture(InvalidRequest):
    """A capture of traffic that cannot be read at all; lines of it that cannot be read are counted instead."""

    code = 1401


class Unauthenticated(HauberkError):
    """No credentials were sent, or wrong ones."""

    code = 10000
    status = 401


class Forbidden(HauberkError):
    """The credentials' scope does not reach this far."""

    code = 10001
    status = 403


class NotFound(HauberkError):
    """The named thing does not exist."""

    code = 7003
    status = 404


class NoEntrypoint(NotFound):
    """A phase that has no rules yet; the code is the one clients know for it."""

    code = 10003


class Conflict(HauberkError):
    """The thing exists already, or something still uses it."""

    code = 1409
    status = 409


class TooLarge(HauberkError):
    """A body over its limit."""

    code = 1413
    status = 413


class TooManyRequests(HauberkError):
    """
    Tried too often, or too many at once.

    Args:
        message: What to wait for.

        retry_after_seconds: How long.
    """

    code = 1429
    status = 429

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1, math.ceil(retry_after_seconds))


class StorageError(HauberkError):
    """The database or the state folder cannot be used."""

    code = 1500
    status = 500


class Unavailable(StorageError):
    """The database does not answer, is full, or others keep it locked for long: the same request may succeed later."""

    code = 1503
    status = 503


class ConfigurationError(HauberkError):
    """`hauberk.toml`, the environment or a flag is wrong; the message names the key."""

    code = 1600


class SnapshotRefused(HauberkError):
    """A gateway will not enforce a snapshot; what it enforced before stays in force."""

    code = 1700
