"""
The subject of a certificate, between the bytes of a request, our noun and the certificate.

A request's subject is read from its DER by hand: `cryptography` warns about over-long names on standard error and goes on, where a
refusal is what the sender needs.
"""

from __future__ import annotations

import unicodedata

from cryptography import x509
from cryptography.x509.oid import NameOID

from hauberk.certificate import SUBJECT_FIELDS, Subject
from hauberk.errors import InvalidCertificateRequest
from hauberk.pki import der

# RFC 5280, appendix A: upper bounds. We count bytes of UTF-8, as OpenSSL and cryptography do for the common name.
MAX_BYTES = {"common_name": 64, "organization": 64, "organizational_unit": 64, "country": 2, "state": 128, "location": 128}
MAX_ATTRIBUTES = 16
# A rule on the subject, or a list of certificates by name, must not have to choose between two.
_SINGLE = frozenset({"common_name", "country"})

_OIDS = {
    "common_name": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizational_unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "country": NameOID.COUNTRY_NAME,
    "state": NameOID.STATE_OR_PROVINCE_NAME,
    "location": NameOID.LOCALITY_NAME,
}
# All six are 2.5.4.n, that is the bytes 55 04 nn.
_FIELDS = {bytes((0x55, 0x04, int(oid.dotted_string.rpartition(".")[2]))): field for field, oid in _OIDS.items()}
# The string types X.520 allows, by tag. Teletex strings are Latin-1 wherever they are met.
_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x16: "ascii", 0x14: "latin-1", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
# Characters that turn the direction of text round, so that a name on a screen is not the name in the certificate.
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def read_subject(request_info: bytes) -> Subject:
    """
    Read the subject from the DER of a CertificationRequestInfo (RFC 2986 §4.1); fields beside the six are left out, as are blank ones.

    Raises:
        InvalidCertificateRequest: If it is malformed, names none of the six fields, or `check_subject` refuses it.
    """
    attributes: list[tuple[str, str]] = []
    try:
        name = list(der.elements(der.only(request_info, der.SEQUENCE)))[1][1]
        for _, relative_name in der.elements(name):
            for _, attribute in der.elements(relative_name):
                (_, oid), (tag, content) = der.elements(attribute)
                field = _FIELDS.get(oid)
                if field is not None and (value := content.decode(_ENCODINGS[tag])).strip():
                    attributes.append((field, value))
    except (ValueError, KeyError, IndexError):
        raise InvalidCertificateRequest("csr: its subject is malformed: make a new request", pointer="/csr") from None
    subject = Subject(tuple(attributes))
    check_subject(subject, "csr: its subject", pointer="/csr")
    return subject


def check_subject(subject: Subject, what: str = "subject", *, pointer: str = "/subject") -> None:
    """
    Refuse a subject that should not be in a certificate.

    Args:
        what: What the message calls it.

        pointer: Place in the request.

    Raises:
        InvalidCertificateRequest: If it is empty, a value is too long or has control characters, or a field that should be single
            comes twice.
    """

    def refuse(reason: str) -> InvalidCertificateRequest:
        return InvalidCertificateRequest(f"{what} {reason}", pointer=pointer)

    if not subject.attributes:
        raise refuse("is missing: name at least one of CN, O, OU, C, ST, L, so that certificates can be told apart")
    if len(subject.attributes) > MAX_ATTRIBUTES:
        raise refuse(f"has more than {MAX_ATTRIBUTES} attributes")
    seen: set[str] = set()
    for field, value in subject.attributes:
        if field in seen and field in _SINGLE:
            raise refuse(f"has more than one {field}")
        seen.add(field)
        if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _DIRECTION_MARKS for character in value):
            raise refuse(f"has control characters in {field}")
        if field == "country" and not (len(value) == 2 and value.isascii() and value.isalpha()):
            raise refuse("has a country that is not two letters, such as DE (ISO 3166)")
        if len(value.encode()) > MAX_BYTES[field]:
            raise refuse(f"has a {field} of more than {MAX_BYTES[field]} bytes")


def to_name(subject: Subject) -> x509.Name:
    """Make the name of a certificate; the subject has passed `check_subject`."""
    assert all(field in SUBJECT_FIELDS for field, _ in subject.attributes)  # noqa: S101 - our own noun
    return x509.Name([x509.NameAttribute(_OIDS[field], value) for field, value in subject.attributes])
