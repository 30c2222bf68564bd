"""A client certificate's nouns: whom it names, what an authority made of a request, and what became of it since."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SUBJECT_FIELDS = ("country", "state", "location", "organization", "organizational_unit", "common_name")
"""What a subject is made of, in the order a new one is written: C, ST, L, O, OU, CN."""


def file_name(common_name: str | None) -> str:
    """Make a file's name of a common name, without its ending: letters and digits of ASCII, `.`, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", common_name or "").strip("._") or "certificate"


class CertificateStatus(StrEnum):
    """
    What became of a certificate since it was signed.

    Certificates here move between `active` and `revoked` in one step; the two pending statuses exist in the API's vocabulary, so
    they can be asked for, and nothing ever has them.
    """

    ACTIVE = "active"
    PENDING_REACTIVATION = "pending_reactivation"
    PENDING_REVOCATION = "pending_revocation"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Subject:
    """
    Whom a certificate names.

    Example:
        >>> Subject.of(common_name="device-7", organization="Example").value("organization")
        'Example'
    """

    attributes: tuple[tuple[str, str], ...]
    """Pairs of field (one of `SUBJECT_FIELDS`) and value, in the order of the request; a field may come again, e.g. two units."""

    @classmethod
    def of(
        cls,
        *,
        common_name: str | None = None,
        organization: str | None = None,
        organizational_unit: str | None = None,
        country: str | None = None,
        state: str | None = None,
        location: str | None = None,
    ) -> Subject:
        """Make a subject of single values, in the usual order; what is `None` or blank is left out."""
        given: Mapping[str, str | None] = {
            "country": country,
            "state": state,
            "location": location,
            "organization": organization,
            "organizational_unit": organizational_unit,
            "common_name": common_name,
        }
        return cls(tuple((field, value) for field in SUBJECT_FIELDS if (value := given[field]) and value.strip()))

    def value(self, field: str) -> str | None:
        """Give a field's value, several joined by a comma and a space; `None` if the subject has none."""
        values = [value for name, value in self.attributes if name == field]
        return ", ".join(values) if values else None


@dataclass(frozen=True)
class SignedCertificate:
    """What an authority made of a certificate request."""

    certificate_pem: str

    subject: Subject

    serial_number: int
    """Positive, at most 128 bits, random."""

    fingerprint_sha256: str
    """SHA-256 of the certificate's DER, lower-case hexadecimal."""

    ski: str
    """Subject key identifier, lower-case hexadecimal, 40 digits."""

    signature: str
    """The signature's algorithm, e.g. `ECDSAWithSHA256`."""

    issued_on: datetime
    """When it was signed; its `notBefore` is a little earlier."""

    expires_on: datetime
    """Its `notAfter`."""


@dataclass(frozen=True)
class AuthorityCertificate:
    """What is known of an authority, managed or uploaded; of several certificates, the first one tells."""

    certificates_pem: str

    issuer: str
    """Its issuer's distinguished name (RFC 4514); its own, if it is self-signed."""

    serial_number: str
    """Decimal."""

    signature: str
    """E.g. `SHA256WithRSA`."""

    expires_on: datetime

    public_keys: frozenset[bytes]
    """The keys of all its certificates, DER: two authorities with a key in common are the same signer."""
