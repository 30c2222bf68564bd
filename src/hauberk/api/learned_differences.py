"""How two learned versions of an operation differ."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.errors import NotFound
from hauberk.learning.difference import difference
from hauberk.storage.learned_versions import content_of, find_version, version_before
from hauberk.storage.learning_tables import AppliedSchema
from hauberk.storage.operations import find_operation

own = APIRouter(tags=["learned schemas"], dependencies=[Owner])


@own.get("/zones/{zone_id}/learning/operations/{operation_id}/difference")
def get_difference(
    plane: Plane,
    zone_id: ZoneId,
    operation_id: str,
    before: Annotated[
        int | None, Query(ge=1, description="A version. Left out: the one in force, else the one learned before the other")
    ] = None,
    after: Annotated[int | None, Query(ge=1, description="A version. Left out: the newest")] = None,
) -> JSONResponse:
    """Tell how two learned versions differ; `breaking` changes refuse requests that conformed before."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        newer = find_version(session, operation.operation_id, after)
        applied = session.get(AppliedSchema, operation.operation_id)
        if before is None and applied is not None and applied.version != newer.version:
            before = applied.version
        older = find_version(session, operation.operation_id, before) if before is not None else None
        older = older or version_before(session, operation.operation_id, newer.version)
        if older is None:
            raise NotFound(f"version {newer.version} is the first that is kept, so there is none to compare it with")
        documents = [json.loads(content_of(row).document) for row in (older, newer)]
    changes = [change.as_json() for change in difference(*documents)]
    is_breaking = any(change["breaking"] for change in changes)
    return success({"before": older.version, "after": newer.version, "breaking": is_breaking, "changes": changes})
