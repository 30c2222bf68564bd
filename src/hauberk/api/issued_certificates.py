"""Client certificates by the many: searched, ordered, counted, revoked together; and what a request says before it is signed. Our own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hauberk.api.auth import Owner
from hauberk.api.client_certificates import CertificateId, ValidityDays, iso, render
from hauberk.api.dependencies import Moment, Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, info
from hauberk.certificate import SUBJECT_FIELDS, CertificateStatus
from hauberk.errors import NotFound
from hauberk.pki.request import check_validity_days, parse_request
from hauberk.pki.request_summary import summarise
from hauberk.storage.certificate_lists import Order, Wanted, certificates_by_id, count_certificates, page_of_certificates
from hauberk.storage.certificates import certificate_of, reactivate, revoke
from hauberk.storage.models import ClientCertificate

own = APIRouter(prefix="/zones/{zone_id}/client_certificates", tags=["client certificates"], dependencies=[Owner])

MAX_TOGETHER = 5000


class Request(BaseModel):
    """A certificate request to look at."""

    model_config = ConfigDict(extra="forbid")

    csr: str = Field(description="Certificate request: one PEM block, at most 16 KiB")
    validity_days: ValidityDays = 365


class Chosen(BaseModel):
    """Certificates to change together."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[str, Field(max_length=36)]] = Field(min_length=1, max_length=MAX_TOGETHER, description="Ids of certificates")


def _render(row: ClientCertificate, authority_name: str) -> dict[str, Any]:
    revoked_on = iso(row.revoked_at) if row.revoked_at is not None else None
    return render(row, authority_name) | {"revoked_on": revoked_on, "has_ended": row.expires_on <= datetime.now(UTC)}


def _wanted(
    status: Annotated[
        Literal["all", "active", "pending_reactivation", "pending_revocation", "revoked"], Query(description="Only this status")
    ] = "all",
    search: Annotated[
        str, Query(max_length=255, description="Part of a common name, a serial number, the beginning of a fingerprint, or an id")
    ] = "",
    expires_after: Annotated[Moment | None, Query(description="Ending at this time or later (RFC 3339)")] = None,
    expires_before: Annotated[Moment | None, Query(description="Ending before this time (RFC 3339)")] = None,
    order: Annotated[Order, Query(description="Column to order by")] = "issued_on",
    direction: Annotated[Literal["asc", "desc"], Query(description="Direction of the order")] = "desc",
) -> Wanted:
    known = None if status == "all" else CertificateStatus(status)
    return Wanted(known, search.replace("\0", ""), expires_after, expires_before, order, direction == "desc")


@own.get("")
def list_issued_certificates(plane: Plane, zone_id: ZoneId, page: PageQuery, wanted: Annotated[Wanted, Depends(_wanted)]) -> JSONResponse:
    """List a zone's client certificates: searched and ordered, also many of them; with the time of revocation."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        rows, total = page_of_certificates(session, zone_id, wanted, page.per_page, page.offset)
        result = [_render(row, plane.authority.name) for row in rows]
    return success(result, result_info=info(page, len(result), total))


@own.get("/counts")
def get_certificate_counts(
    plane: Plane, zone_id: ZoneId, days: Annotated[int, Query(ge=1, le=3650, description="How soon `ending` is")] = 30
) -> JSONResponse:
    """Count a zone's client certificates by status; `ended` and `ending` are active ones that have ended, or end within so many days."""
    at = datetime.now(UTC)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(count_certificates(session, zone_id, at, at + timedelta(days=days)))


@own.post("/inspect")
def inspect_request(plane: Plane, zone_id: ZoneId, body: Request) -> JSONResponse:
    """Tell what a CSR says and what its certificate would be; nothing is issued. One that would be refused is refused here."""
    check_validity_days(body.validity_days)
    request = parse_request(body.csr)
    with plane.database.read() as session:
        zone_of(session, zone_id)
    summary = summarise(request)
    asked_end = datetime.now(UTC) + timedelta(days=body.validity_days)
    return success(
        {
            "subject": {field: request.subject.value(field) for field in SUBJECT_FIELDS},
            "key": summary.key,
            "public_key_sha256": summary.public_key_sha256,
            "signature": summary.signature,
            "left_out": list(summary.left_out),
            "expires_on": iso(min(asked_end, plane.authority.expires_on)),
            "cut_by_authority": asked_end > plane.authority.expires_on,
        }
    )


@own.post("/revoke")
def revoke_certificates(plane: Plane, zone_id: ZoneId, body: Chosen) -> JSONResponse:
    """Revoke several certificates in one change; the result names those that were not revoked before. All are revoked or none."""
    return _change(plane, zone_id, body.ids, to=CertificateStatus.REVOKED)


@own.post("/restore")
def restore_certificates(plane: Plane, zone_id: ZoneId, body: Chosen) -> JSONResponse:
    """Restore several revoked certificates in one change; the result names those that were revoked. All are restored or none."""
    return _change(plane, zone_id, body.ids, to=CertificateStatus.ACTIVE)


@own.get("/{certificate_id}")
def get_issued_certificate(plane: Plane, zone_id: ZoneId, certificate_id: CertificateId) -> JSONResponse:
    """Show a client certificate with the time of its revocation and the chain that verifies it."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        row = certificate_of(session, zone_id, certificate_id)
        chain = row.certificate_pem.rstrip("\n") + "\n" + plane.authority.certificate_pem
        return success(_render(row, plane.authority.name) | {"chain": chain})


def _change(plane: Plane, zone_id: str, ids: list[str], *, to: CertificateStatus) -> JSONResponse:
    wanted = {id_.lower() for id_ in ids}
    with plane.database.write() as session:
        zone_of(session, zone_id)
        rows = certificates_by_id(session, zone_id, sorted(wanted))
        if unknown := wanted - {row.id for row in rows}:
            raise NotFound(
                f"{len(unknown)} of {len(wanted)} ids are no client certificates of the zone: nothing was changed", pointer="/ids"
            )
        changed = sorted(row.id for row in rows if row.status != to)
        for row in rows:
            (revoke if to is CertificateStatus.REVOKED else reactivate)(row)
    return success({"ids": changed})
