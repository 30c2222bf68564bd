"""Who calls the REST API: the owner of a token, or a person who is signed in to the dashboard."""

from __future__ import annotations

from dataclasses import dataclass

CALLER = "hauberk.caller"
"""
Where a request's ASGI scope holds its `Caller`.

Servers make scopes from what they receive, and this key is no part of that: only code in this process can set it.
"""


@dataclass(frozen=True)
class Caller:
    """The owner of the credentials a request came with."""

    token_id: str
    """Empty for a person, who has no token."""

    email: str
    scope: str
    """`read`: GET only; `edit`: everything; `gateway`: fetch snapshots and report."""

    user_id: str = ""
    """Of a person who signed in by name and password."""

    session_id: str = ""
    """Of a person at the dashboard."""
