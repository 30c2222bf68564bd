"""
Certificate requests (PKCS #10), judged strictly before anything is signed.

Of what a request asks for, only its key and six fields of its subject count; extensions it asks for are not looked at here
(`request_summary` names them to people). No message repeats what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from hauberk.certificate import Subject
from hauberk.errors import InvalidCertificateRequest
from hauberk.pki import pem
from hauberk.pki.algorithms import ACCEPTED_KEYS, PublicKey, key_weakness
from hauberk.pki.subject import read_subject

MAX_CSR_BYTES = 16 * 1024
MIN_VALIDITY_DAYS = 1
MAX_VALIDITY_DAYS = 5475  # 15 years

_LABELS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_HOW = "'openssl req -new -key device.key -out device.csr' or 'cfssl genkey' makes one"
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.InvalidVersion)


@dataclass(frozen=True)
class CertificateRequest:
    """A request that was found good: its sender holds the key, and the key is strong enough."""

    csr_pem: str
    """As it was sent, line ends included."""

    subject: Subject

    public_key: PublicKey


def parse_request(csr_pem: str | bytes) -> CertificateRequest:
    """
    Read a CSR and judge it.

    Args:
        csr_pem: One PEM block, at most 16 KiB; LF or CRLF.

    Raises:
        InvalidCertificateRequest: If it is anything else, its own signature is wrong, its key is weak or of another kind than
            RSA (2048 to 8192 bits), ECDSA P-256/P-384 or Ed25519, or its subject is missing or unfit.
    """
    text = _text(csr_pem)
    request = _load(_block(text))
    try:
        key = request.public_key()
    except _UNREADABLE:
        raise _refusal(f"its key is malformed or of a kind not known here: use {ACCEPTED_KEYS}") from None
    if (weakness := key_weakness(key)) is not None:
        raise _refusal(f"{weakness}: use {ACCEPTED_KEYS}")
    _check_signature(request)
    assert isinstance(key, PublicKey)  # noqa: S101 - `key_weakness` refuses all others
    return CertificateRequest(text, read_subject(request.tbs_certrequest_bytes), key)


def check_validity_days(days: int) -> None:
    """
    Refuse a validity outside 1 to 5475 days.

    Raises:
        InvalidCertificateRequest: If it is.
    """
    if not MIN_VALIDITY_DAYS <= days <= MAX_VALIDITY_DAYS:
        raise InvalidCertificateRequest(
            f"validity_days must be between {MIN_VALIDITY_DAYS} and {MAX_VALIDITY_DAYS} (15 years)", pointer="/validity_days"
        )


def _refusal(reason: str) -> InvalidCertificateRequest:
    return InvalidCertificateRequest(f"csr: {reason}", pointer="/csr")


def _text(csr_pem: str | bytes) -> str:
    if len(csr_pem) > MAX_CSR_BYTES:
        raise _refusal("it is larger than 16 KiB; a request is usually 1 to 2 KiB")
    try:
        return csr_pem.decode("ascii") if isinstance(csr_pem, bytes) else csr_pem.encode("ascii").decode("ascii")
    except UnicodeError:
        raise _refusal(f"it is not PEM text: one block '-----BEGIN CERTIFICATE REQUEST-----' is expected; {_HOW}") from None


def _block(text: str) -> bytes:
    if pem.holds_private_key(text):
        raise _refusal(
            "it holds a private key, which must never leave its device: send the request alone. "
            "hauberk has not kept it, but treat this key as exposed and make a new one"
        )
    try:
        blocks = pem.blocks(text)
        if any(block.label in {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"} for block in blocks):
            raise _refusal(f"it holds a certificate: a certificate request is expected; {_HOW}")
        if len(blocks) != 1:
            raise _refusal(f"it holds {len(blocks)} PEM blocks: send one request at a time")
        if blocks[0].label not in _LABELS:
            raise _refusal(f"it holds a PEM block of another kind: 'CERTIFICATE REQUEST' is expected; {_HOW}")
        return blocks[0].der()
    except pem.MalformedPem as error:
        raise _refusal(str(error)) from None


def _load(request_der: bytes) -> x509.CertificateSigningRequest:
    try:
        return x509.load_der_x509_csr(request_der)
    except _UNREADABLE:
        raise _refusal(f"it is not a certificate request (PKCS #10), or was damaged: {_HOW}") from None


def _check_signature(request: x509.CertificateSigningRequest) -> None:
    try:
        # Ed25519 has no hash of its own to choose, hence `None`.
        algorithm = request.signature_hash_algorithm
        strong = algorithm is None or isinstance(algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512)
        valid = strong and request.is_signature_valid
    except _UNREADABLE:
        strong, valid = False, False
    if not strong:
        raise _refusal("it is signed with an algorithm not accepted here: use SHA-256, SHA-384, SHA-512 or Ed25519")
    if not valid:
        raise _refusal("its signature does not fit its key, so the sender has not shown to hold the key: make the request anew")
