"""Tables of those who use the dashboard: users, their sessions, and links that sign in once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hauberk.storage.models import Base, new_hex_id, now


class User(Base):
    """A person with a name and a password."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(255), unique=True)  # the name without its case
    password_hash: Mapped[str] = mapped_column(Text)  # argon2id, with its parameters and salt
    role: Mapped[str] = mapped_column(String(8))  # viewer | editor
    created_at: Mapped[datetime] = mapped_column(default=now)
    password_set_at: Mapped[datetime] = mapped_column(default=now)
    signed_in_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class DashboardSession(Base):
    """
    Somebody who is signed in: a user, or the holder of a token.

    The row is the session: without it the cookie is worth nothing.
    """

    __tablename__ = "dashboard_sessions"
    __table_args__ = (Index("dashboard_sessions_by_user", "user_id"), Index("dashboard_sessions_by_token", "token_id"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_id: Mapped[str | None] = mapped_column(ForeignKey("tokens.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    address: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(255))  # its User-Agent


class SignInLink(Base):
    """A link that signs in once, with the rights of whom it was made for."""

    __tablename__ = "sign_in_links"

    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_id: Mapped[str | None] = mapped_column(ForeignKey("tokens.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
