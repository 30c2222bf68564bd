"""
Client certificates of a zone: issued from a CSR, listed, revoked and restored.

What is answered with success is committed first, so it is there after a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.paging import MAX_PER_PAGE, Page, PageQuery, paged_rows
from hauberk.certificate import CertificateStatus
from hauberk.pipeline import ControlPlane
from hauberk.pki.request import MAX_VALIDITY_DAYS, CertificateRequest, check_validity_days, parse_request
from hauberk.storage.certificates import certificate_of, certificates_of, reactivate, revoke, store_certificate
from hauberk.storage.models import ClientCertificate

zone = APIRouter(prefix="/client_certificates", tags=["client certificates"], dependencies=[Owner])

CertificateId = Annotated[str, Path(description="The certificate's id, a UUID")]
ValidityDays = Annotated[int, Field(strict=True, description=f"Life in days, 1 to {MAX_VALIDITY_DAYS}; cut at the authority's own end")]


class NewCertificate(BaseModel):
    """A certificate to issue."""

    csr: str = Field(description="Certificate request: one PEM block, at most 16 KiB")
    validity_days: ValidityDays


class CertificateChange(BaseModel):
    """What a certificate is to become; nothing at all means: active again."""

    reactivate: bool = Field(True, strict=True, description="`true` restores a revoked certificate; `false` leaves it as it is")


def iso(moment: datetime) -> str:
    """Write a time as the API does, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def render(certificate: ClientCertificate, authority_name: str) -> dict[str, Any]:
    """Make the object of the API."""
    return {
        "id": certificate.id,
        "certificate": certificate.certificate_pem,
        "certificate_authority": {"id": certificate.authority_id, "name": authority_name},
        "common_name": certificate.common_name,
        "country": certificate.country,
        "csr": certificate.csr_pem,
        "expires_on": iso(certificate.expires_on),
        "fingerprint_sha256": certificate.fingerprint_sha256,
        "issued_on": iso(certificate.issued_on),
        "location": certificate.location,
        "organization": certificate.organization,
        "organizational_unit": certificate.organizational_unit,
        "serial_number": certificate.serial_number,
        "signature": certificate.signature,
        "ski": certificate.ski,
        "state": certificate.state,
        "status": certificate.status,
        "validity_days": certificate.validity_days,
    }


def issue(
    plane: ControlPlane, zone_id: str, request: CertificateRequest, validity_days: int, certificate_id: str | None = None
) -> dict[str, Any]:
    """
    Sign a request, store the certificate, and give its object once it is committed.

    Raises:
        Conflict: If a certificate of this id is there already; nothing is issued then.
    """
    # Signed outside the transaction: a write holds the database's only lock.
    signed = plane.authority.sign(request, validity_days, datetime.now(UTC), plane.crl_url)
    with plane.database.write() as session:
        zone_of(session, zone_id)
        certificate = store_certificate(session, zone_id, plane.authority_id, signed, request.csr_pem, validity_days, certificate_id)
        return render(certificate, plane.authority.name)


@dataclass(frozen=True)
class _Window(Page):
    first: int
    """Items left out before the first page."""

    @property
    def offset(self) -> int:
        return self.first + super().offset


def _window(
    page: PageQuery,
    limit: Annotated[int | None, Query(ge=1, le=MAX_PER_PAGE, description="Items in a page; used in place of per_page")] = None,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Items left out before the first page")] = 0,
) -> Page:
    # SDKs repeat limit and offset while they count `page` up until a page is empty, so both ways of paging must work together.
    return _Window(page.page, limit or page.per_page, offset)


@zone.post("")
def create_client_certificate(plane: Plane, zone_id: ZoneId, body: NewCertificate) -> JSONResponse:
    """
    Issue a client certificate from a CSR.

    The CSR's key and its subject (CN, O, OU, C, ST, L) are carried over, nothing else of it.
    """
    check_validity_days(body.validity_days)
    return success(issue(plane, zone_id, parse_request(body.csr), body.validity_days))


@zone.get("")
def list_client_certificates(
    plane: Plane,
    zone_id: ZoneId,
    page: Annotated[Page, Depends(_window)],
    status: Annotated[
        Literal["all", "active", "pending_reactivation", "pending_revocation", "revoked"],
        Query(description="Which ones; none is ever pending here"),
    ] = "all",
) -> JSONResponse:
    """List a zone's client certificates, newest first."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        query = certificates_of(zone_id, None if status == "all" else CertificateStatus(status))
        return paged_rows(session, query, page, lambda row: render(row, plane.authority.name))


@zone.get("/{certificate_id}")
def get_client_certificate(plane: Plane, zone_id: ZoneId, certificate_id: CertificateId) -> JSONResponse:
    """Show a client certificate."""
    with plane.database.read() as session:
        return success(render(_find(session, zone_id, certificate_id), plane.authority.name))


@zone.patch("/{certificate_id}")
def edit_client_certificate(
    plane: Plane, zone_id: ZoneId, certificate_id: CertificateId, body: CertificateChange | None = None
) -> JSONResponse:
    """Restore a revoked certificate: active at once, accepted by gateways within a second or two. The body may be left out."""
    with plane.database.write() as session:
        certificate = _find(session, zone_id, certificate_id)
        if body is None or body.reactivate:
            reactivate(certificate)
        result = render(certificate, plane.authority.name)
    return success(result)


@zone.delete("/{certificate_id}")
def delete_client_certificate(plane: Plane, zone_id: ZoneId, certificate_id: CertificateId) -> JSONResponse:
    """Revoke a certificate: revoked at once, known to gateways within a second or two. It stays listed and can be restored."""
    with plane.database.write() as session:
        certificate = _find(session, zone_id, certificate_id)
        revoke(certificate)
        result = render(certificate, plane.authority.name)
    return success(result)


def _find(session: Session, zone_id: str, certificate_id: str) -> ClientCertificate:
    zone_of(session, zone_id)
    return certificate_of(session, zone_id, certificate_id)
