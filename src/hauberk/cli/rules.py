"""Host names that go into rules."""

from __future__ import annotations

from hauberk import config
from hauberk.cli.failure import Failure


def exact_host(host: str) -> str:
    """
    Check a host name that goes into an expression.

    Raises:
        Failure: If it is a wildcard or no host name.
    """
    try:
        name = config.host_name(host)
    except ValueError as error:
        raise Failure(f"'{host}' {error}") from None
    if name.startswith("*."):
        raise Failure(f"'{host}' is a wildcard, but a rule compares whole host names", "name each host, one call a host")
    return name
