"""
Client certificates: what was issued in which zone, and what became of it.

A status changes in the one transaction that answers the request. There is nothing to wait for, hence no `pending_…`: the change
raises the revision, the next snapshot carries it, and `hauberk status --wait` tells when every gateway enforces it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from hauberk.certificate import CertificateStatus, SignedCertificate
from hauberk.errors import Conflict, NotFound
from hauberk.storage.models import ClientCertificate, new_uuid, now

# RFC 5280 §3.3 keeps a revoked certificate on one list after its end; verifiers' clocks are the reason.
KEPT_AFTER_END = timedelta(days=2)


def store_certificate(
    session: Session,
    zone_id: str,
    authority_id: str,
    signed: SignedCertificate,
    csr_pem: str,
    validity_days: int,
    certificate_id: str | None = None,
) -> ClientCertificate:
    """
    Store what an authority has signed.

    Raises:
        Conflict: If a certificate of this id is there already.
    """
    subject = signed.subject
    if certificate_id is not None and session.get(ClientCertificate, certificate_id) is not None:
        raise Conflict(f"a certificate '{certificate_id}' was issued already: this request came twice", pointer="/id")
    row = ClientCertificate(
        id=certificate_id or new_uuid(),
        zone_id=zone_id,
        authority_id=authority_id,
        status=CertificateStatus.ACTIVE,
        certificate_pem=signed.certificate_pem,
        csr_pem=csr_pem,
        serial_number=str(signed.serial_number),
        fingerprint_sha256=signed.fingerprint_sha256,
        ski=signed.ski,
        signature=signed.signature,
        common_name=subject.value("common_name"),
        organization=subject.value("organization"),
        organizational_unit=subject.value("organizational_unit"),
        country=subject.value("country"),
        state=subject.value("state"),
        location=subject.value("location"),
        validity_days=validity_days,
        issued_on=signed.issued_on,
        expires_on=signed.expires_on,
    )
    session.add(row)
    session.flush()
    return row


def certificates_of(zone_id: str, status: CertificateStatus | None = None) -> Select[Any]:
    """Select a zone's certificates, newest first; those of one status, or all."""
    query = select(ClientCertificate).where(ClientCertificate.zone_id == zone_id)
    if status is not None:
        query = query.where(ClientCertificate.status == status)
    return query.order_by(ClientCertificate.issued_on.desc(), ClientCertificate.id)


def certificate_of(session: Session, zone_id: str, certificate_id: str) -> ClientCertificate:
    """
    Find a certificate.

    Raises:
        NotFound: If the zone has none of this id.
    """
    row = session.get(ClientCertificate, certificate_id)
    if row is None or row.zone_id != zone_id:
        raise NotFound(f"the zone has no client certificate with the id '{certificate_id[:64]}'")
    return row


def revoke(certificate: ClientCertificate) -> None:
    """Revoke a certificate; one that is revoked stays so, since the same time."""
    if certificate.status != CertificateStatus.REVOKED:
        certificate.status, certificate.revoked_at = CertificateStatus.REVOKED, now()


def reactivate(certificate: ClientCertificate) -> None:
    """Take a revocation back; it leaves no trace in later revocation lists."""
    if certificate.status != CertificateStatus.ACTIVE:
        certificate.status, certificate.revoked_at = CertificateStatus.ACTIVE, None


def revoked_of(session: Session, authority_id: str, at: datetime) -> list[tuple[int, datetime]]:
    """List an authority's revoked certificates that some clock may still take for valid: serial number and time of revocation."""
    query = select(ClientCertificate.serial_number, ClientCertificate.revoked_at).where(
        ClientCertificate.authority_id == authority_id,
        ClientCertificate.status == CertificateStatus.REVOKED,
        ClientCertificate.revoked_at.is_not(None),
        ClientCertificate.expires_on > at - KEPT_AFTER_END,
    )
    return sorted((int(serial), revoked_at) for serial, revoked_at in session.execute(query) if revoked_at is not None)
