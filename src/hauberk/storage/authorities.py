"""Certificate authorities, and the host names on which their certificates are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from hauberk.certificate import AuthorityCertificate
from hauberk.errors import Conflict, NotFound, StorageError
from hauberk.storage.models import CertificateAuthority, HostnameAssociation


class ManagedAuthority(Protocol):
    """The authority whose key is in the state folder; `hauberk.pki.authority.Authority` is one."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def description(self) -> AuthorityCertificate:
        """What is known of it."""


def remember_managed_authority(session: Session, authority: ManagedAuthority) -> str:
    """
    Store the managed authority at first start, and find it again at the next ones.

    Returns:
        Its id.

    Raises:
        StorageError: If the database knows another one: the certificates it issued would no longer be verified.
    """
    described = authority.description
    row = session.scalar(select(CertificateAuthority).where(CertificateAuthority.managed))
    if row is None:
        row = _row(described, authority.name, managed=True)
        session.add(row)
        session.flush()
    elif row.certificates_pem != described.certificates_pem:
        raise StorageError(
            "authority.pem in the state folder is not the certificate authority the database knows: "
            "restore authority.key, authority.pem and the database from the same backup"
        )
    return row.id


def managed_certificate_pem(session: Session) -> str | None:
    """Give the managed authority's certificate; `None` before the first start has made one."""
    return session.scalar(select(CertificateAuthority.certificates_pem).where(CertificateAuthority.managed))


def uploaded_authorities() -> Select[Any]:
    """Select the uploaded authorities, newest first."""
    uploaded = select(CertificateAuthority).where(CertificateAuthority.managed.is_(False))
    return uploaded.order_by(CertificateAuthority.uploaded_on.desc(), CertificateAuthority.id)


def store_uploaded_authority(session: Session, described: AuthorityCertificate, name: str) -> CertificateAuthority:
    """Store an authority that was uploaded and found good."""
    row = _row(described, name, managed=False)
    session.add(row)
    session.flush()
    return row


def uploaded_authority_of(session: Session, authority_id: str) -> CertificateAuthority:
    """
    Find an uploaded authority.

    Raises:
        NotFound: If there is none of this id; the managed one is none.
    """
    row = session.get(CertificateAuthority, authority_id)
    if row is None or row.managed:
        raise NotFound(f"no uploaded certificate authority has the id '{authority_id[:64]}'")
    return row


def authority_of(session: Session, authority_id: str) -> CertificateAuthority:
    """
    Find an authority, managed or uploaded.

    Raises:
        NotFound: If there is none of this id.
    """
    row = session.get(CertificateAuthority, authority_id)
    if row is None:
        raise NotFound(f"no certificate authority has the id '{authority_id[:64]}'")
    return row


def delete_uploaded_authority(session: Session, authority: CertificateAuthority) -> None:
    """
    Delete an uploaded authority.

    Raises:
        Conflict: If a host name is still associated with it.
    """
    hostnames = associated_hostnames(session, authority.id)
    if hostnames:
        shown = ", ".join(hostnames[:5]) + (", …" if len(hostnames) > 5 else "")
        raise Conflict(f"the certificate authority is associated with {shown}: clear its hostname associations first")
    session.delete(authority)


def next_crl_number(session: Session, authority_id: str) -> int:
    """Count one further revocation list of an authority."""
    # Not through the object: that would raise the revision, and gateways do not read revocation lists.
    session.execute(
        update(CertificateAuthority)
        .where(CertificateAuthority.id == authority_id)
        .values(crl_number=CertificateAuthority.crl_number + 1)
        .execution_options(synchronize_session=False)
    )
    return session.scalars(select(CertificateAuthority.crl_number).where(CertificateAuthority.id == authority_id)).one()


def associated_hostnames(session: Session, authority_id: str, zone_id: str | None = None) -> list[str]:
    """List the names on which an authority's certificates are asked for, sorted; in one zone or in all."""
    names = select(HostnameAssociation.hostname).where(HostnameAssociation.authority_id == authority_id)
    if zone_id is not None:
        names = names.where(HostnameAssociation.zone_id == zone_id)
    return list(session.scalars(names.order_by(HostnameAssociation.hostname)))


def replace_associated_hostnames(session: Session, authority_id: str, zone_id: str, hostnames: Iterable[str]) -> None:
    """Make these the names of an authority in a zone, and no others; names that stay keep their rows."""
    wanted, present = set(hostnames), set(associated_hostnames(session, authority_id, zone_id))
    gone = select(HostnameAssociation).where(
        HostnameAssociation.authority_id == authority_id,
        HostnameAssociation.zone_id == zone_id,
        HostnameAssociation.hostname.in_(present - wanted),
    )
    for row in session.scalars(gone):
        session.delete(row)
    for name in sorted(wanted - present):
        session.add(HostnameAssociation(authority_id=authority_id, zone_id=zone_id, hostname=name))
    session.flush()


def authorities_by_host(session: Session, zone_id: str) -> dict[str, list[CertificateAuthority]]:
    """Give the authorities whose certificates are asked for, by host name; the managed one first, then by name."""
    query = (
        select(HostnameAssociation.hostname, CertificateAuthority)
        .join(CertificateAuthority, CertificateAuthority.id == HostnameAssociation.authority_id)
        .where(HostnameAssociation.zone_id == zone_id)
        .order_by(HostnameAssociation.hostname, CertificateAuthority.managed.desc(), CertificateAuthority.name, CertificateAuthority.id)
    )
    found: dict[str, list[CertificateAuthority]] = {}
    for hostname, authority in session.execute(query):
        found.setdefault(hostname, []).append(authority)
    return found


def set_authorities_of_host(session: Session, zone_id: str, hostname: str, authority_ids: Collection[str]) -> None:
    """
    Make these the authorities whose certificates are asked for on a host name, and no others.

    Raises:
        NotFound: If one of them is not there.
    """
    rows = session.scalars(
        select(HostnameAssociation).where(HostnameAssociation.zone_id == zone_id, HostnameAssociation.hostname == hostname)
    ).all()
    for row in rows:
        if row.authority_id not in authority_ids:
            session.delete(row)
    for id_ in sorted(set(authority_ids) - {row.authority_id for row in rows}):
        session.add(HostnameAssociation(authority_id=authority_of(session, id_).id, zone_id=zone_id, hostname=hostname))
    session.flush()


def _row(described: AuthorityCertificate, name: str, *, managed: bool) -> CertificateAuthority:
    return CertificateAuthority(
        name=name,
        managed=managed,
        certificates_pem=described.certificates_pem,
        issuer=described.issuer,
        serial_number=described.serial_number,
        signature=described.signature,
        expires_on=described.expires_on,
    )
