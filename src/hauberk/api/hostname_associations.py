"""Hostname associations: on which names of a zone the gateway asks clients for a certificate, and of which authority."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.config import host_name
from hauberk.errors import InvalidRequest
from hauberk.pipeline import ControlPlane
from hauberk.storage.authorities import associated_hostnames, authority_of, replace_associated_hostnames

zone = APIRouter(prefix="/certificate_authorities/hostname_associations", tags=["hostname associations"], dependencies=[Owner])

AuthorityQuery = Annotated[str | None, Query(max_length=64, description="An uploaded authority; left out: the managed one")]


class Associations(BaseModel):
    """All the names of one authority in the zone."""

    hostnames: list[str] = Field(max_length=5000, description="Names at or below the zone's, or *.example.com; [] clears")
    mtls_certificate_id: str | None = Field(None, max_length=64, description="An uploaded authority; left out: the managed one")


@zone.get("")
def get_hostname_associations(plane: Plane, zone_id: ZoneId, mtls_certificate_id: AuthorityQuery = None) -> JSONResponse:
    """List the host names on which certificates of an authority are asked for."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        authority_id = _authority_id(session, plane, mtls_certificate_id)
        return success({"hostnames": associated_hostnames(session, authority_id, zone_id)})


@zone.put("")
def update_hostname_associations(plane: Plane, zone_id: ZoneId, body: Associations) -> JSONResponse:
    """Replace the host names of an authority in this zone; those of other authorities stay."""
    with plane.database.write() as session:
        zone_name = zone_of(session, zone_id).name
        authority_id = _authority_id(session, plane, body.mtls_certificate_id)
        names = [name_in(zone_name, name, f"hostnames[{place}]", f"/hostnames/{place}") for place, name in enumerate(body.hostnames)]
        replace_associated_hostnames(session, authority_id, zone_id, names)
        result = {"hostnames": associated_hostnames(session, authority_id, zone_id)}
    return success(result)


def _authority_id(session: Session, plane: ControlPlane, mtls_certificate_id: str | None) -> str:
    return authority_of(session, mtls_certificate_id).id if mtls_certificate_id else plane.authority_id


def name_in(zone_name: str, name: str, called: str, pointer: str) -> str:
    """
    Check that a name is one of a zone, and give it as it is stored.

    Raises:
        InvalidRequest: If it is no host name, or not at or below the zone's.
    """
    try:
        normal = host_name(name.strip())
    except ValueError as error:
        raise InvalidRequest(f"{called} {error}", pointer=pointer) from None
    if normal != zone_name and not normal.endswith(f".{zone_name}"):
        raise InvalidRequest(f"{called}: '{normal}' is not at or below the zone '{zone_name}'", pointer=pointer)
    return normal


def exact_name_in(zone_name: str, name: str, called: str, pointer: str) -> str:
    """
    Check a name as `name_in` does, for a rule: these compare whole names.

    Raises:
        InvalidRequest: If it is no host name, not at or below the zone's, or a wildcard.
    """
    normal = name_in(zone_name, name, called, pointer)
    if normal.startswith("*."):
        raise InvalidRequest(f"{called}: '{normal}' is a wildcard, but a rule compares whole host names: name each host", pointer=pointer)
    return normal
