"""Zones and accounts as the SDKs read them, and our own calls that make zones and hosts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import AccountId, Plane, ZoneId, account_of, zone_of
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, paged_list, paged_rows
from hauberk.config import HostName, UpstreamUrl
from hauberk.errors import Conflict, InvalidRequest, NotFound
from hauberk.pipeline import give_self_signed
from hauberk.pki.server_certificate import check_server_certificate, ends_on
from hauberk.storage.models import Host, Installation, Zone

compatible = APIRouter(tags=["zones"], dependencies=[Owner])
own = APIRouter(tags=["zones"], dependencies=[Owner])


class NewZone(BaseModel):
    """A zone to make."""

    model_config = ConfigDict(extra="forbid")

    name: HostName = Field(description="The domain, e.g. example.com")


class HostChange(BaseModel):
    """What a host is to be; without a certificate a self-signed one is made, or the present one kept."""

    model_config = ConfigDict(extra="forbid")

    upstreams: list[UpstreamUrl] = Field(
        min_length=1, max_length=64, description="Where requests go: http://HOST:PORT or https://HOST:PORT"
    )
    certificate_pem: str | None = Field(None, max_length=2**17, description="Server certificate, leaf first")
    private_key_pem: str | None = Field(None, max_length=2**15, description="Private key to it; never given back")


class NewHost(HostChange):
    """A host to make."""

    name: HostName = Field(description="At or below the zone's name; *.example.com serves all names one label below")


def _account(installation: Installation) -> dict[str, Any]:
    return {
        "id": installation.account_id,
        "name": installation.account_name,
        "type": "standard",
        "created_on": installation.created_at.isoformat(),
        "settings": {"enforce_twofactor": False},
    }


def _zone(zone: Zone, installation: Installation) -> dict[str, Any]:
    return {
        "id": zone.id,
        "name": zone.name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "account": {"id": installation.account_id, "name": installation.account_name},
        "owner": {"id": installation.account_id, "name": installation.account_name, "type": "organization"},
        "meta": {},
        "name_servers": [],
        "activated_on": zone.created_at.isoformat(),
        "created_on": zone.created_at.isoformat(),
        "modified_on": zone.created_at.isoformat(),
    }


def _host(host: Host) -> dict[str, Any]:
    return {
        "name": host.name,
        "upstreams": host.upstreams,
        "certificate_pem": host.certificate_pem,
        "certificate_expires_on": ends_on(host.certificate_pem).isoformat(),
        "self_signed": host.self_signed,
        "from_file": host.from_file,
        "created_at": host.created_at.isoformat(),
    }


@compatible.get("/zones")
def list_zones(plane: Plane, page: PageQuery, name: Annotated[str | None, Query(description="Exactly this name")] = None) -> JSONResponse:
    """List the zones by name."""
    with plane.database.read() as session:
        installation = session.get_one(Installation, 1)
        query = select(Zone).order_by(Zone.name)
        if name is not None:
            query = query.where(Zone.name == name.lower())
        return paged_rows(session, query, page, lambda zone: _zone(zone, installation))


@compatible.get("/zones/{zone_id}")
def get_zone(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Show a zone."""
    with plane.database.read() as session:
        return success(_zone(zone_of(session, zone_id), session.get_one(Installation, 1)))


@compatible.get("/accounts")
def list_accounts(plane: Plane, page: PageQuery) -> JSONResponse:
    """List the one account an installation has."""
    with plane.database.read() as session:
        return paged_list([_account(session.get_one(Installation, 1))], page)


@compatible.get("/accounts/{account_id}")
def get_account(plane: Plane, account_id: AccountId) -> JSONResponse:
    """Show the account."""
    with plane.database.read() as session:
        return success(_account(account_of(session, account_id)))


@own.get("/zones")
def list_own_zones(plane: Plane, page: PageQuery) -> JSONResponse:
    """List the zones; the same as the compatible call."""
    return list_zones(plane, page)


@own.post("/zones")
def create_zone(plane: Plane, body: NewZone) -> JSONResponse:
    """Make a zone."""
    with plane.database.write() as session:
        if session.scalar(select(Zone.id).where(Zone.name == body.name)) is not None:
            raise Conflict(f"a zone '{body.name}' exists already")
        zone = Zone(name=body.name)
        session.add(zone)
        session.flush()
        result = _zone(zone, session.get_one(Installation, 1))
    return success(result)


@own.get("/zones/{zone_id}/hosts")
def list_hosts(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List a zone's hosts by name; private keys stay inside."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, select(Host).where(Host.zone_id == zone_id).order_by(Host.name), page, _host)


@own.post("/zones/{zone_id}/hosts")
def create_host(plane: Plane, zone_id: ZoneId, body: NewHost) -> JSONResponse:
    """Make a host; gateways serve it within a second or two."""
    with plane.database.write() as session:
        zone = zone_of(session, zone_id)
        if body.name != zone.name and not body.name.endswith(f".{zone.name}"):
            raise InvalidRequest(f"host '{body.name}' is not at or below the zone '{zone.name}'", pointer="/name")
        if session.scalar(select(Host.id).where(Host.name == body.name)) is not None:
            raise Conflict(f"a host '{body.name}' exists already: change it with PUT")
        host = Host(zone_id=zone_id, name=body.name, from_file=False, self_signed=False, certificate_pem="", private_key_pem="")
        warnings = _apply(host, body)
        session.add(host)
        session.flush()
        result = _host(host)
    return _with_warnings(result, warnings)


@own.get("/zones/{zone_id}/hosts/{name}")
def get_host(plane: Plane, zone_id: ZoneId, name: str) -> JSONResponse:
    """Show a host; its private key stays inside."""
    with plane.database.read() as session:
        return success(_host(_known(session, zone_id, name)))


@own.put("/zones/{zone_id}/hosts/{name}")
def update_host(plane: Plane, zone_id: ZoneId, name: str, body: HostChange) -> JSONResponse:
    """Change a host's upstreams or certificate."""
    with plane.database.write() as session:
        host = _changeable(session, zone_id, name)
        warnings = _apply(host, body)
        session.flush()
        result = _host(host)
    return _with_warnings(result, warnings)


@own.delete("/zones/{zone_id}/hosts/{name}")
def delete_host(plane: Plane, zone_id: ZoneId, name: str) -> JSONResponse:
    """Take a host out of service; its saved operations stay."""
    with plane.database.write() as session:
        session.delete(_changeable(session, zone_id, name))
    return success({"name": name.lower()})


def _with_warnings(result: dict[str, Any], warnings: list[str]) -> JSONResponse:
    return success(result | {"warnings": warnings})


def _known(session: Session, zone_id: str, name: str) -> Host:
    zone_of(session, zone_id)
    host = session.scalar(select(Host).where(Host.zone_id == zone_id, Host.name == name.lower())) if "\0" not in name else None
    if host is None:
        raise NotFound(f"the zone has no host '{name[:253]}'")
    return host


def _changeable(session: Session, zone_id: str, name: str) -> Host:
    host = _known(session, zone_id, name)
    if host.from_file:
        raise Conflict(f"host '{host.name}' is declared in hauberk.toml: change it there and restart the control plane")
    return host


def _apply(host: Host, change: HostChange) -> list[str]:
    if (change.certificate_pem is None) != (change.private_key_pem is None):
        raise InvalidRequest("certificate_pem and private_key_pem go together; one of them is missing", pointer="/certificate_pem")
    host.upstreams = list(change.upstreams)
    if change.certificate_pem is not None and change.private_key_pem is not None:
        warnings = check_server_certificate(change.certificate_pem, change.private_key_pem, host.name)
        host.certificate_pem, host.private_key_pem, host.self_signed = change.certificate_pem, change.private_key_pem, False
        return list(warnings)
    if not host.certificate_pem:
        give_self_signed(host)
    return ["the server certificate is self-signed, for local use: clients have to be told to trust it"] if host.self_signed else []
