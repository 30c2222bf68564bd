"""Alembic's entry: migrations run on the connection that `Database` hands over."""

from typing import Any, Literal

from alembic import context

from hauberk.storage import (  # noqa: F401 - their tables belong to the metadata
    access_tables,
    alert_tables,
    changed_settings,
    count_tables,
    discovery_tables,
    endpoint_tables,
    import_tables,
    learning_tables,
    trial_tables,
)
from hauberk.storage.models import Base, UtcDateTime


def render_item(kind: str, item: Any, _autogen_context: Any) -> str | Literal[False]:
    """Write our time type as the plain type it is stored as, so that a migration never depends on today's models."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=render_item)
with context.begin_transaction():
    context.run_migrations()
