"""Certificate authorities of the owner's own: uploaded, listed, deleted; they vouch for clients on associated host names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.client_certificates import iso
from hauberk.api.dependencies import AccountId, Plane, account_of
from hauberk.api.envelope import success
from hauberk.certificate import AuthorityCertificate
from hauberk.errors import Conflict, InvalidRequest
from hauberk.pki.upload import parse_upload, public_keys_of
from hauberk.storage.authorities import (
    associated_hostnames,
    delete_uploaded_authority,
    store_uploaded_authority,
    uploaded_authorities,
    uploaded_authority_of,
)
from hauberk.storage.models import CertificateAuthority

account = APIRouter(prefix="/accounts/{account_id}/mtls_certificates", tags=["mTLS certificates"], dependencies=[Owner])

AuthorityId = Annotated[str, Path(description="The uploaded authority's id, a UUID")]

# The one type there is here; the API knows `gateway_managed` and `access_managed` besides, which are other products.
TYPE = "custom"
SERVICE = "api_shield"


class NewAuthority(BaseModel):
    """An authority to upload."""

    ca: bool = Field(strict=True, description="`true`: only authorities are kept here")
    certificates: str = Field(description="CA certificates, PEM, nothing else; first the one that signs the clients' certificates")
    name: str | None = Field(None, max_length=255, description="What people call it")
    private_key: str | None = Field(None, description="Not accepted: an authority's key stays with its owner")


def _render(authority: CertificateAuthority) -> dict[str, Any]:
    return {
        "id": authority.id,
        "ca": authority.ca,
        "certificates": authority.certificates_pem,
        "expires_on": iso(authority.expires_on),
        "issuer": authority.issuer,
        "name": authority.name,
        "serial_number": authority.serial_number,
        "signature": authority.signature,
        "type": TYPE,
        "uploaded_on": iso(authority.uploaded_on),
    }


@account.post("")
def create_mtls_certificate(plane: Plane, account_id: AccountId, body: NewAuthority) -> JSONResponse:
    """
    Upload an authority.

    Upload the one that signs the clients' certificates directly. Revocation is not looked up for it: distrust single certificates by
    a rule, or all of them by deleting it.
    """
    if not body.ca:
        raise InvalidRequest("ca must be true: only certificate authorities are uploaded here, not leaf certificates", pointer="/ca")
    if body.private_key is not None:
        raise InvalidRequest(
            "private_key must be left out: hauberk signs nothing with an uploaded authority. It was not kept", pointer="/private_key"
        )
    described = parse_upload(body.certificates, datetime.now(UTC))
    with plane.database.write() as session:
        account_of(session, account_id)
        _refuse_known(session, described)
        authority = store_uploaded_authority(session, described, body.name or "")
        result = _render(authority) | {"updated_at": iso(authority.uploaded_on)}
    return success(result)


@account.get("")
def list_mtls_certificates(
    plane: Plane,
    account_id: AccountId,
    type: Annotated[list[str] | None, Query(description="`custom`, `gateway_managed` or `access_managed`; several, or all")] = None,  # noqa: A002 - the parameter's name
) -> JSONResponse:
    """List the uploaded authorities, newest first, in one page; those of other types are none."""
    types = {part.strip() for value in type or [] for part in value.split(",")}
    if unknown := types - {TYPE, "gateway_managed", "access_managed"}:
        raise InvalidRequest(f"type has {len(unknown)} unknown value(s): custom, gateway_managed and access_managed are known")
    with plane.database.read() as session:
        account_of(session, account_id)
        rows = session.scalars(uploaded_authorities()).all() if not types or TYPE in types else ()
        return success([_render(row) for row in rows], result_info=_one_page(len(rows)))


@account.get("/{authority_id}")
def get_mtls_certificate(plane: Plane, account_id: AccountId, authority_id: AuthorityId) -> JSONResponse:
    """Show an uploaded authority."""
    with plane.database.read() as session:
        account_of(session, account_id)
        return success(_render(uploaded_authority_of(session, authority_id)))


@account.delete("/{authority_id}")
def delete_mtls_certificate(plane: Plane, account_id: AccountId, authority_id: AuthorityId) -> JSONResponse:
    """Delete an uploaded authority; its hostname associations have to be cleared before."""
    with plane.database.write() as session:
        account_of(session, account_id)
        authority = uploaded_authority_of(session, authority_id)
        result = _render(authority)
        delete_uploaded_authority(session, authority)
    return success(result)


@account.get("/{authority_id}/associations")
def list_mtls_certificate_associations(plane: Plane, account_id: AccountId, authority_id: AuthorityId) -> JSONResponse:
    """Tell which service uses an uploaded authority: one entry, with the host names, if it is associated with any."""
    with plane.database.read() as session:
        account_of(session, account_id)
        hostnames = associated_hostnames(session, uploaded_authority_of(session, authority_id).id)
    return success([{"service": SERVICE, "status": "active", "hostnames": hostnames}] if hostnames else [])


def _refuse_known(session: Session, described: AuthorityCertificate) -> None:
    """
    Refuse an authority that is here already.

    Above all the managed one: a revoked certificate would be verified by its copy, and revocation is known of the original only.
    """
    for authority in session.scalars(select(CertificateAuthority)):
        if described.public_keys & public_keys_of(authority.certificates_pem):
            known = "the managed one" if authority.managed else f"uploaded already as '{authority.id}'"
            raise Conflict(f"this certificate authority is {known}: associate host names with that", pointer="/certificates")


def _one_page(count: int) -> dict[str, int]:
    return {"page": 1, "per_page": max(count, 1), "count": count, "total_count": count, "total_pages": 1}
