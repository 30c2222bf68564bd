"""
Lists of many client certificates: searched, ordered, counted.

A row is mostly the certificate itself. So what is on a page is found out from indexes alone, and then only the page's rows are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from hauberk.certificate import CertificateStatus
from hauberk.storage.models import ClientCertificate

Order = Literal["issued_on", "expires_on", "common_name"]

MAX_BY_NUMBER = 500
MAX_SERIAL_DIGITS = 39  # 128 bits
_HEXADECIMAL = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True)
class Wanted:
    """Which certificates of a zone, and in which order."""

    status: CertificateStatus | None = None
    search: str = ""
    """Part of a common name, or a serial number, or how a fingerprint begins, or an id; empty: all."""

    expires_after: datetime | None = None
    expires_before: datetime | None = None
    order: Order = "issued_on"
    descending: bool = True


def page_of_certificates(
    session: Session, zone_id: str, wanted: Wanted, limit: int, offset: int
) -> tuple[Sequence[ClientCertificate], int]:
    """Give one page of certificates, and how many there are in all."""
    ids = _ids(session, zone_id, wanted)
    total = session.scalar(select(func.count()).select_from(ids.subquery())) or 0
    column: ColumnElement[Any] = getattr(ClientCertificate, wanted.order)
    if wanted.search.strip():
        # Few rows may be found: going through all in their order would read each of them. This way the index of names is gone through.
        column = func.coalesce(column, column)
    ordered = ids.order_by(column.desc() if wanted.descending else column, ClientCertificate.id).limit(limit).offset(offset)
    on_page = list(session.scalars(ordered))
    rows = {row.id: row for row in session.scalars(select(ClientCertificate).where(ClientCertificate.id.in_(on_page)))}
    return [rows[id_] for id_ in on_page], total


def certificates_by_id(session: Session, zone_id: str, ids: Sequence[str]) -> Sequence[ClientCertificate]:
    """Give those of the certificates that the zone has."""
    return session.scalars(select(ClientCertificate).where(ClientCertificate.zone_id == zone_id, ClientCertificate.id.in_(ids))).all()


def count_certificates(session: Session, zone_id: str, at: datetime, soon: datetime) -> dict[str, int]:
    """Count a zone's certificates by status, and of the active ones those that have ended and those that end soon."""
    by_status = (
        select(ClientCertificate.status, func.count()).where(ClientCertificate.zone_id == zone_id).group_by(ClientCertificate.status)
    )
    counts = {status.value: 0 for status in CertificateStatus}
    counts.update((status, count) for status, count in session.execute(by_status))
    ended = _ids(session, zone_id, Wanted(CertificateStatus.ACTIVE, expires_before=at))
    ending = _ids(session, zone_id, Wanted(CertificateStatus.ACTIVE, expires_after=at, expires_before=soon))
    for name, ids in (("ended", ended), ("ending", ending)):
        counts[name] = session.scalar(select(func.count()).select_from(ids.subquery())) or 0
    return counts


def _ids(session: Session, zone_id: str, wanted: Wanted) -> Select[Any]:
    query = select(ClientCertificate.id).where(ClientCertificate.zone_id == zone_id)
    if wanted.status is not None:
        query = query.where(ClientCertificate.status == wanted.status)
    if wanted.expires_after is not None:
        query = query.where(ClientCertificate.expires_on >= wanted.expires_after)
    if wanted.expires_before is not None:
        query = query.where(ClientCertificate.expires_on < wanted.expires_before)
    search = wanted.search.strip()
    if not search:
        return query
    named = ClientCertificate.common_name.icontains(search, autoescape=True)
    return query.where(or_(named, ClientCertificate.id.in_(_ids_by_number(session, zone_id, search))))


def _ids_by_number(session: Session, zone_id: str, search: str) -> list[str]:
    """Find the few certificates that an id, a serial number or the beginning of a fingerprint names."""
    digits = search.lower().replace(":", "").replace(" ", "")
    conditions: list[ColumnElement[bool]] = [ClientCertificate.id == search.lower()]
    if digits.isascii() and digits.isdigit() and len(digits) <= MAX_SERIAL_DIGITS:
        conditions.append(ClientCertificate.serial_number == digits)
    if _HEXADECIMAL.fullmatch(digits):
        conditions.append(ClientCertificate.fingerprint_sha256.between(digits, digits + "g"))
        conditions.append(ClientCertificate.serial_number == str(int(digits, 16)))  # as openssl and rules write it
    found: list[str] = []
    for condition in conditions:  # one by one, each by its own index
        query = select(ClientCertificate.id, ClientCertificate.zone_id).where(condition).limit(MAX_BY_NUMBER)
        found += [id_ for id_, zone in session.execute(query) if zone == zone_id]
    return found
