"""Uploaded schemas, and which of them is in force for an operation."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.orm import Session, defer

from hauberk.errors import NotFound
from hauberk.schema import UploadedDocument
from hauberk.storage.endpoint_tables import SchemaOperation
from hauberk.storage.models import Host, Schema, Zone

InForce = dict[tuple[str, str, str], tuple[str, str]]
"""(method, host, endpoint) → (schema id, path in its document)."""


def schemas_in_force(session: Session, zone_id: str) -> InForce:
    """
    Tell which schema is in force for each operation that one declares: the newest that is enabled.

    Saved or not makes no difference here; the time is linear in the operations that the zone's enabled schemas declare.
    """
    enabled = (
        select(Schema.schema_id, Schema.operations)
        .where(Schema.zone_id == zone_id, Schema.validation_enabled)
        .order_by(Schema.created_at, Schema.schema_id)
    )
    in_force: InForce = {}
    for schema_id, operations in session.execute(enabled):
        for declared in operations:  # a newer schema overwrites an older one
            in_force[declared["method"], declared["host"], declared["endpoint"]] = (schema_id, declared["path"])
    return in_force


def schemas_of(
    zone_id: str, *, validation_enabled: bool | None = None, with_source: bool = True, with_operations: bool = True
) -> Select[Schema]:
    """
    Select the schemas of a zone, the newest first.

    Args:
        zone_id: The zone.

        validation_enabled: Only those switched on, or off; `None` means both.

        with_source: Read the document's text at once, which may be large, and not when it is asked for.

        with_operations: The same for what the document declares.
    """
    query = select(Schema).where(Schema.zone_id == zone_id).order_by(Schema.created_at.desc(), Schema.schema_id)
    if validation_enabled is not None:
        query = query.where(Schema.validation_enabled.is_(validation_enabled))
    later = [column for column, wanted in ((Schema.source, with_source), (Schema.operations, with_operations)) if not wanted]
    return query.options(*(defer(column) for column in later))


def find_schema(session: Session, zone_id: str, schema_id: str, *, with_source: bool = True) -> Schema:
    """
    Find an uploaded schema.

    Raises:
        NotFound: If the zone has none of this id.
    """
    known = "\0" not in schema_id  # PostgreSQL takes no such text
    query = schemas_of(zone_id, with_source=with_source, with_operations=with_source).where(Schema.schema_id == schema_id.lower())
    schema = session.scalar(query) if known else None
    if schema is None:
        raise NotFound(f"the zone has no schema '{schema_id[:64]}'")
    return schema


def add_schema(
    session: Session, zone_id: str, name: str, document: UploadedDocument, *, validation_enabled: bool, **as_before: Any
) -> Schema:
    """
    Store a document that was accepted.

    Args:
        session: A session that writes.

        zone_id: The zone.

        name: A name for people.

        document: The document.

        validation_enabled: Whether it is enforced.

        as_before: `schema_id` and `created_at` of one that was deleted; the newest of several schemas is the one in force.
    """
    schema = Schema(
        **as_before,
        zone_id=zone_id,
        name=name,
        source=document.source,
        sha256=hashlib.sha256(document.source.encode()).hexdigest(),
        operations=[operation.as_json() for operation in document.operations],
        warnings=list(document.warnings),
        validation_enabled=validation_enabled,
    )
    session.add(schema)
    session.flush()
    ids = {operation.key.operation_id(zone_id) for operation in document.operations}
    if ids:
        session.execute(insert(SchemaOperation), [{"schema_id": schema.schema_id, "operation_id": id_} for id_ in sorted(ids)])
    return schema


def host_names(session: Session, zone: Zone) -> list[str]:
    """List the names of a zone's hosts; wildcards may be among them."""
    return list(session.scalars(select(Host.name).where(Host.zone_id == zone.id).order_by(Host.name)))
