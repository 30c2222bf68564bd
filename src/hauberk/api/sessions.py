"""How sessions of the dashboard are answered, and whose they are."""

from __future__ import annotations

from typing import Any

from hauberk.caller import Caller
from hauberk.storage.access_tables import DashboardSession
from hauberk.storage.dashboard_sessions import Owner


def owner_of(caller: Caller) -> Owner:
    """Tell whose sessions a caller's are."""
    return Owner(user_id=caller.user_id) if caller.user_id else Owner(token_id=caller.token_id)


def session_json(row: DashboardSession, caller: Caller) -> dict[str, Any]:
    """Render a session; `current` is the one that asks."""
    return {
        "id": row.id,
        "current": row.id == caller.session_id,
        "created_at": row.created_at.isoformat(),
        "last_seen_at": row.last_seen_at.isoformat(),
        "address": row.address,
        "browser": row.browser,
    }
