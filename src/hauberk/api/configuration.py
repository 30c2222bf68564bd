"""Session identifiers of a zone: set and read as the SDKs do, and ours: what traffic proposes."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.discovery.carriers import Carrier
from hauberk.discovery.known_names import about_name
from hauberk.discovery.proposal import MAX_TRANSACTIONS, warnings_about
from hauberk.errors import InvalidRequest
from hauberk.session_identifier import MAX_IDENTIFIERS, MAX_JWT_NAME_BYTES, SessionIdentifier, checked, repeated
from hauberk.storage.discovery_runs import run_of
from hauberk.storage.session_identifiers import session_identifiers, set_session_identifiers

zone = APIRouter(tags=["session identifiers"], dependencies=[Owner])
own = APIRouter(tags=["session identifiers"], dependencies=[Owner])

DOUBTFUL = 310
"""Message: a session identifier that by its name is not one."""

Normalize = Annotated[bool, Query(description="In the spelling that is compared: headers in lower case, claims as $['name']")]


class Characteristic(BaseModel):
    """One session identifier."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["header", "cookie", "jwt"]
    name: str = Field(
        min_length=1,
        max_length=MAX_JWT_NAME_BYTES,
        description="A header's or cookie's name; for jwt <token configuration id>:$.claim",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        try:
            checked(self.type, self.name)
        except ValueError as error:
            raise ValueError(f"the name {error}") from None
        return self

    def identifier(self) -> SessionIdentifier:
        """Give it as the value it stands for."""
        return checked(self.type, self.name)


class Configuration(BaseModel):
    """A zone's session identifiers; the order is that of the parts of a session's key."""

    model_config = ConfigDict(extra="forbid")

    auth_id_characteristics: list[Characteristic] = Field(max_length=MAX_IDENTIFIERS, description="None clears them")

    @field_validator("auth_id_characteristics")
    @classmethod
    def _once(cls, value: list[Characteristic]) -> list[Characteristic]:
        twice = repeated(item.identifier() for item in value)
        if twice is not None:
            raise ValueError(f"has a {twice.type} twice: each must be unique, in whatever spelling")
        return value


@zone.get("/api_gateway/configuration")
def get_configuration(plane: Plane, zone_id: ZoneId, normalize: Normalize = False) -> JSONResponse:
    """Show a zone's session identifiers."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(configuration_json(session_identifiers(session, zone_id), normalize=normalize))


@zone.put("/api_gateway/configuration")
def put_configuration(plane: Plane, zone_id: ZoneId, body: Configuration, normalize: Normalize = False) -> JSONResponse:
    """Replace a zone's session identifiers; an empty list clears them, and then none is set by itself any more."""
    identifiers = [item.identifier() for item in body.auth_id_characteristics]
    if normalize:
        identifiers = [identifier.normalised() for identifier in identifiers]
    with plane.database.write() as session:
        zone_of(session, zone_id)
        set_session_identifiers(session, zone_id, identifiers)
        run_of(session, zone_id).identifiers_chosen = True
    return success(configuration_json(identifiers, normalize=normalize), messages=_doubts(identifiers))


@own.get("/zones/{zone_id}/session-identifiers/proposal")
def get_proposal(
    plane: Plane,
    zone_id: ZoneId,
    limit: Annotated[int, Query(ge=1, le=MAX_TRANSACTIONS, description="Transactions to look at")] = 20_000,
) -> JSONResponse:
    """Propose a session identifier from what requests carry, with why; and warn of those set now."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        present = [identifier.normalised() for identifier in session_identifiers(session, zone_id)]
    proposal = plane.inventory.proposal(zone_id, limit)
    warnings = warnings_about([_carrier(identifier) for identifier in present], proposal)
    return success(proposal.as_json() | {"present": configuration_json(present)["auth_id_characteristics"], "warnings": warnings})


@own.get("/zones/{zone_id}/session-identifiers/preview")
def preview_configuration(
    plane: Plane,
    zone_id: ZoneId,
    identifier: Annotated[
        list[str], Query(min_length=1, max_length=MAX_IDENTIFIERS, description="As `header:authorization`; several together tell a session")
    ],
    limit: Annotated[int, Query(ge=1, le=MAX_TRANSACTIONS, description="Transactions to look at")] = 20_000,
) -> JSONResponse:
    """Tell what session identifiers would show of recorded requests: the share that carries them, and how many sessions; nothing is set."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
    identifiers = [_read(text).normalised() for text in identifier]
    seen = plane.inventory.preview(zone_id, [_carrier(identifier) for identifier in identifiers], limit)
    return success(seen.as_json(), messages=_doubts(identifiers))


def _read(text: str) -> SessionIdentifier:
    kind, _, name = text.partition(":")
    try:
        return checked(kind, name)
    except ValueError as error:
        raise InvalidRequest(f"the identifier {error}", pointer="/identifier") from None


def configuration_json(identifiers: list[SessionIdentifier], *, normalize: bool = False) -> dict[str, Any]:
    """Render session identifiers."""
    shown = [identifier.normalised() if normalize else identifier for identifier in identifiers]
    return {"auth_id_characteristics": [{"type": identifier.type, "name": identifier.name} for identifier in shown]}


def _carrier(identifier: SessionIdentifier) -> Carrier:
    """Give the place in the words of proposals, where a claim has no token configuration."""
    if identifier.type != "jwt":
        return Carrier(identifier.type, identifier.name)
    path = identifier.name.partition(":")[2]
    return Carrier("jwt", "$." + path.removeprefix("$['").removesuffix("']") if path.count("[") == 1 else path)


def _doubts(identifiers: list[SessionIdentifier]) -> list[dict[str, Any]]:
    messages = []
    for identifier in identifiers:
        known = about_name(_carrier(identifier.normalised()))
        if known is not None and known[0] != "good":
            messages.append({"code": DOUBTFUL, "message": f"the {identifier.type} '{identifier.name}' was set, but look again: {known[1]}"})
    return messages
