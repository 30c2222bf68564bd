"""Builds certificate requests for tests: proper ones, and such as no tool would write."""

from __future__ import annotations

import base64
import textwrap
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from hauberk.pki import der

OIDS = {
    "common_name": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizational_unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "country": NameOID.COUNTRY_NAME,
    "state": NameOID.STATE_OR_PROVINCE_NAME,
    "location": NameOID.LOCALITY_NAME,
}
_LAST_BYTE = {field: int(oid.dotted_string.rpartition(".")[2]) for field, oid in OIDS.items()}
UTF8_STRING = 0x0C
SHA256 = hashes.SHA256()


def to_pem(content: bytes, label: str = "CERTIFICATE REQUEST") -> str:
    lines = "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def csr(key: Any = None, algorithm: Any = SHA256, **subject: str) -> str:
    """A request with the usual tools."""
    names = [x509.NameAttribute(OIDS[field], value) for field, value in (subject or {"common_name": "device"}).items()]
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    signed = request.sign(key or ec.generate_private_key(ec.SECP256R1()), algorithm)
    return signed.public_bytes(Encoding.PEM).decode()


def attribute(field: str, value: bytes, tag: int = UTF8_STRING) -> bytes:
    """One attribute of a name, with whatever bytes."""
    oid = der.element(der.OBJECT_IDENTIFIER, bytes((0x55, 0x04, _LAST_BYTE[field])))
    return der.element(der.SET, der.element(der.SEQUENCE, oid, der.element(tag, value)))


def raw_csr(*attributes: bytes) -> str:
    """A properly signed request with a subject written by hand."""
    key = ec.generate_private_key(ec.SECP256R1())
    public_key = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = der.element(der.SEQUENCE, der.integer(0), der.element(der.SEQUENCE, *attributes), public_key, der.element(0xA0))
    ecdsa_with_sha256 = der.element(der.SEQUENCE, der.element(der.OBJECT_IDENTIFIER, bytes.fromhex("2a8648ce3d040302")))
    signature = der.element(0x03, b"\x00", key.sign(info, ec.ECDSA(hashes.SHA256())))
    return to_pem(der.element(der.SEQUENCE, info, ecdsa_with_sha256, signature))
