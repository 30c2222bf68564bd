"""Ours: a look at an OpenAPI document before it is uploaded: what it declares, what it would take the place of, what is wrong with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.schema_fragment import Tree, operation_document, read_tree
from hauberk.api.schema_validation import check_upload
from hauberk.errors import InvalidSchema
from hauberk.learning.difference import difference
from hauberk.operation import OperationKey, is_in_zone
from hauberk.schema import DeclaredOperation, UploadedDocument
from hauberk.schema_places import Spot, find_spots, pointer_of, spot_of_reading_error, steps_of
from hauberk.storage.applied_schemas import applied_schemas
from hauberk.storage.models import Operation, Schema, Zone
from hauberk.storage.operations import operations_of
from hauberk.storage.schemas import find_schema, schemas_in_force

own = APIRouter(tags=["schema validation"], dependencies=[Owner])

# Of those beyond nobody reads the changes on a page.
MAX_COMPARED = 300


class Look(BaseModel):
    """A document to look at."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(min_length=1, description="The OpenAPI document, JSON or YAML text")
    host: str | None = Field(None, max_length=255, description="Host of operations whose servers are relative, missing or outside the zone")


@own.post("/zones/{zone_id}/schemas/preview")
def preview(plane: Plane, zone_id: ZoneId, body: Look) -> JSONResponse:
    """
    Look at a document as an upload would, and store nothing: its hosts and operations, new and existing, and its problems by place.

    `accepted` tells whether the upload would be. Each place of a problem has its `location`, the same as a JSON `pointer`, and `line` and
    `column` in the text. An operation that another schema is in force for tells that one, and how the document differs from it.
    """
    try:
        document = check_upload(plane, zone_id, body.source, body.host)
    except InvalidSchema as error:
        told = {"accepted": False, "message": error.message, "title": None, "hosts": [], "new": 0, "existing": 0, "operations": []}
        return success(told | {"problems": located(error.problems, body.source)})
    with plane.documents.turn(), plane.database.read() as session:
        zone = zone_of(session, zone_id)
        operations = _Comparison(session, zone, document).operations()
    existing = sum(one["operation_id"] is not None for one in operations)
    return success(
        {
            "accepted": True,
            "message": None,
            "title": document.title,
            "hosts": hosts_of(document.operations, zone.name),
            "new": len(operations) - existing,
            "existing": existing,
            "operations": operations,
            "problems": located(document.warnings, body.source),
        }
    )


def located(problems: Sequence[Mapping[str, Any]], source: str) -> list[dict[str, Any]]:
    """Render problems, each with its places in the document."""
    steps = {location: steps_of(location) for problem in problems for location in problem["locations"]}
    spots = find_spots(source, [found for found in steps.values() if found is not None])

    def place(location: str) -> dict[str, Any]:
        found = steps[location]
        if found is None:
            return {"location": location, "pointer": None, **_spot(None)}
        return {"location": location, "pointer": pointer_of(found), **_spot(spots[tuple(found)])}

    return [
        {
            "severity": problem.get("severity", "warning"),
            "code": problem["code"],
            "message": problem["message"],
            "places": [place(location) for location in problem["locations"]] or _place_of_reading(problem["message"]),
        }
        for problem in problems
    ]


def hosts_of(operations: Iterable[DeclaredOperation], zone_name: str) -> list[dict[str, Any]]:
    """List the hosts of operations with their number, and whether the zone has them."""
    counts = Counter(declared.key.host for declared in operations)
    return [{"host": host, "operations": counts[host], "in_zone": is_in_zone(host, zone_name)} for host in sorted(counts)]


def _place_of_reading(message: str) -> list[dict[str, Any]]:
    spot = spot_of_reading_error(message)
    return [] if spot is None else [{"location": None, "pointer": None, **_spot(spot)}]


def _spot(spot: Spot | None) -> dict[str, int | None]:
    return {"line": spot.line if spot is not None else None, "column": spot.column if spot is not None else None}


@dataclass
class _Comparison:
    """A document beside what is in force for its operations."""

    session: Session
    zone: Zone
    document: UploadedDocument

    def __post_init__(self) -> None:
        self._tree = read_tree(self.document.source)
        self._trees: dict[str, Tree] = {}
        self._schemas: dict[str, Schema] = {}
        self._compared = 0

    def operations(self) -> list[dict[str, Any]]:
        """Render the document's operations, each with the schema that is in force for it, and how that differs."""
        saved = {OperationKey(row.method, row.host, row.endpoint): row for row in self.session.scalars(operations_of(self.zone.id))}
        uploaded, applied = schemas_in_force(self.session, self.zone.id), applied_schemas(self.session, self.zone.id)
        told = []
        for declared in self.document.operations:
            method, host, endpoint = declared.key
            row, found = saved.get(declared.key), uploaded.get((method, host, endpoint))
            learned = applied.get(row.operation_id) if row is not None else None
            in_force: dict[str, Any] | None = None
            changes = None
            if found is not None:
                schema = self._schema(found[0])
                in_force = {"kind": "uploaded", "schema_id": schema.schema_id, "name": schema.name, "version": None}
                changes = self._changes(declared, (schema, found[1]))
            elif learned is not None:
                in_force = {"kind": "learned", "schema_id": learned.schema_id, "name": learned.name, "version": learned.version}
                changes = self._changes(declared, learned.source)
            told.append(_operation(declared, row) | {"in_force": in_force, "changes": changes})
        return told

    def _schema(self, schema_id: str) -> Schema:
        if schema_id not in self._schemas:
            self._schemas[schema_id] = find_schema(self.session, self.zone.id, schema_id)
        return self._schemas[schema_id]

    def _changes(self, declared: DeclaredOperation, before: str | tuple[Schema, str]) -> list[dict[str, Any]] | None:
        """Tell how the document differs from what is in force; `None` where there is too much to compare."""
        self._compared += 1
        if self._compared > MAX_COMPARED:
            return None
        ours = operation_document(self._tree, declared.key, declared.path)
        theirs = json.loads(before) if isinstance(before, str) else operation_document(self._tree_of(before[0]), declared.key, before[1])
        try:
            return [change.as_json() for change in difference(theirs, ours)]
        except ValueError:  # what is cut out of it is none by itself
            return None

    def _tree_of(self, schema: Schema) -> Tree:
        if schema.schema_id not in self._trees:
            self._trees[schema.schema_id] = read_tree(schema.source)
        return self._trees[schema.schema_id]


def _operation(declared: DeclaredOperation, row: Operation | None) -> dict[str, Any]:
    return {
        **declared.as_json(),
        "operation_id": row.operation_id if row is not None else None,
        "mitigation_action": row.mitigation_action if row is not None else None,
    }
