"""Settings that were changed while hauberk runs, by their keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hauberk.storage.models import Base, now


class ChangedSetting(Base):
    """A setting that is not at its default, since somebody has changed it."""

    __tablename__ = "changed_settings"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    changed_at: Mapped[datetime]


def changed_settings(session: Session) -> dict[str, ChangedSetting]:
    """Give all that were changed."""
    return {row.key: row for row in session.scalars(select(ChangedSetting).order_by(ChangedSetting.key))}


def change_setting(session: Session, key: str, value: Any) -> None:
    """Remember a value; one that is there is replaced."""
    session.merge(ChangedSetting(key=key, value=value, changed_at=now()))


def forget_setting(session: Session, key: str) -> None:
    """Go back to the default."""
    row = session.get(ChangedSetting, key)
    if row is not None:
        session.delete(row)
