"""The signed list of revoked certificates (CRL, RFC 5280 §5), for whoever verifies certificates without asking hauberk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hauberk.pki.algorithms import signing_hash
from hauberk.pki.authority import Authority

VALIDITY = timedelta(hours=24)
MEDIA_TYPE = "application/pkix-crl"


@dataclass(frozen=True)
class RevokedCertificate:
    """One entry of the list."""

    serial_number: int

    revoked_at: datetime


@dataclass(frozen=True)
class RevocationList:
    """A signed list."""

    crl_der: bytes

    number: int
    """Grows with each list of an authority."""

    this_update: datetime

    next_update: datetime
    """By then there is a newer one."""

    @property
    def crl_pem(self) -> str:
        """The list as text."""
        return x509.load_der_x509_crl(self.crl_der).public_bytes(Encoding.PEM).decode("ascii")


def sign_revocation_list(authority: Authority, revoked: Iterable[RevokedCertificate], number: int, now: datetime) -> RevocationList:
    """
    Sign a list that holds for 24 hours.

    Args:
        authority: Whose certificates they are.

        revoked: The entries, in any order.

        number: Larger than that of every list signed before.

        now: The time, with its zone.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    entries = [
        x509.RevokedCertificateBuilder().serial_number(entry.serial_number).revocation_date(entry.revoked_at.replace(microsecond=0)).build()
        for entry in sorted(revoked, key=lambda entry: entry.serial_number)
    ]
    # The entries go in at once: `add_revoked_certificate` copies the list each time, which takes minutes for 100,000 of them.
    crl = (
        x509.CertificateRevocationListBuilder(revoked_certificates=entries)
        .issuer_name(authority.certificate.subject)
        .last_update(now)
        .next_update(now + VALIDITY)
        .add_extension(authority.key_identifier, critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
        .sign(authority.private_key, signing_hash(authority.private_key))
    )
    return RevocationList(crl.public_bytes(Encoding.DER), number, now, now + VALIDITY)
