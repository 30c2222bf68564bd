"""Authorities of the owner's own: which certificates may be uploaded to vouch for clients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from hauberk.certificate import AuthorityCertificate
from hauberk.errors import InvalidRequest
from hauberk.pki import pem
from hauberk.pki.algorithms import SIGNATURE_NAMES, signature_name
from hauberk.pki.private_key import public_key_der

MAX_UPLOAD_BYTES = 256 * 1024
MAX_CERTIFICATES = 50

# SHA-1, SHA-256, SHA-384 or SHA-512 with RSA (PKCS #1 v1.5) or ECDSA. SHA-1 is here for old roots, whose own signature nobody checks.
_SIGNATURES = frozenset(oid for oid, name in SIGNATURE_NAMES.items() if name != "Ed25519")
# A warning is raised where warnings are errors: `cryptography` has one for forms of certificates that it will refuse in the future.
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, UserWarning)


def parse_upload(certificates_pem: str, now: datetime) -> AuthorityCertificate:
    """
    Read and judge the certificates of an authority.

    Args:
        certificates_pem: One or more CA certificates, PEM, nothing else; at most 256 KiB.

        now: The time, with its zone.

    Raises:
        InvalidRequest: If the text holds anything else (a leaf, a key, a request), a certificate is damaged, has ended, or is signed
            with an algorithm that is not accepted.
    """
    certificates = [_load(block, number) for number, block in enumerate(_blocks(certificates_pem), 1)]
    for number, certificate in enumerate(certificates, 1):
        _check(certificate, number, now)
    return describe_authority(certificates)


def describe_authority(certificates: Sequence[x509.Certificate]) -> AuthorityCertificate:
    """Collect what is known of an authority from its certificates, at least one."""
    first = certificates[0]
    return AuthorityCertificate(
        certificates_pem="".join(certificate.public_bytes(Encoding.PEM).decode("ascii") for certificate in certificates),
        issuer=first.issuer.rfc4514_string(),
        serial_number=str(first.serial_number),
        signature=signature_name(first.signature_algorithm_oid),
        expires_on=first.not_valid_after_utc,
        public_keys=frozenset(public_key_der(certificate.public_key()) for certificate in certificates),
    )


def public_keys_of(certificates_pem: str) -> frozenset[bytes]:
    """Give the keys of certificates that were accepted before, to compare with those of an upload."""
    return frozenset(public_key_der(certificate.public_key()) for certificate in x509.load_pem_x509_certificates(certificates_pem.encode()))


def _refusal(reason: str) -> InvalidRequest:
    return InvalidRequest(f"certificates: {reason}", pointer="/certificates")


def _blocks(text: str) -> list[pem.Block]:
    if len(text) > MAX_UPLOAD_BYTES:
        raise _refusal("the text is larger than 256 KiB")
    if pem.holds_private_key(text):
        raise _refusal("it holds a private key, which hauberk neither needs nor keeps: send the authority's certificate alone")
    try:
        blocks = pem.blocks(text)
    except pem.MalformedPem as error:
        raise _refusal(str(error)) from None
    for block in blocks:
        if block.label.endswith("CERTIFICATE REQUEST"):
            raise _refusal("it holds a certificate request: a CA certificate is expected")
        if block.label != "CERTIFICATE":
            raise _refusal("it holds a PEM block that is no certificate: send CA certificates alone")
    if len(blocks) > MAX_CERTIFICATES:
        raise _refusal(f"it holds more than {MAX_CERTIFICATES} certificates")
    return blocks


def _load(block: pem.Block, number: int) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(block.der())
        # Parts are read when they are first asked for; ask for all that is used later.
        public_key_der(certificate.public_key())
        _ = certificate.extensions, certificate.issuer.rfc4514_string(), certificate.subject
    except pem.MalformedPem as error:
        raise _refusal(str(error)) from None
    except _UNREADABLE:
        raise _refusal(f"certificate {number} cannot be read: it was damaged") from None
    return certificate


def _check(certificate: x509.Certificate, number: int, now: datetime) -> None:
    extensions = certificate.extensions
    if certificate.serial_number <= 0:
        raise _refusal(f"certificate {number} has a serial number that is not positive (RFC 5280 §4.1.2.2)")
    try:
        authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        authority = False
    if not authority:
        raise _refusal(
            f"certificate {number} is not a CA certificate (its basic constraints do not say CA): "
            "upload the one that signed the client certificates, not a client or server certificate"
        )
    try:
        if not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign:
            raise _refusal(f"certificate {number} may not sign certificates (its key usage lacks certificate signing)")
    except x509.ExtensionNotFound:
        pass
    pss = isinstance(certificate.signature_algorithm_parameters, padding.PSS)
    if certificate.signature_algorithm_oid not in _SIGNATURES or pss:
        raise _refusal(f"certificate {number} is signed with an algorithm not accepted here: SHA-1, 256, 384 or 512 with RSA or ECDSA are")
    if now >= certificate.not_valid_after_utc:
        raise _refusal(f"certificate {number} ended on {certificate.not_valid_after_utc:%Y-%m-%d}: no client would be accepted by it")
