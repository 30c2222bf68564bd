"""A key and a request for callers who have none. The key is handed over once; nothing of it stays here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from hauberk.certificate import Subject
from hauberk.pki.algorithms import PrivateKey, signing_hash
from hauberk.pki.pkcs8 import plain_pem
from hauberk.pki.subject import check_subject, to_name


class KeyKind(StrEnum):
    """Kinds of keys that are made here."""

    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    RSA_2048 = "rsa-2048"
    RSA_4096 = "rsa-4096"
    ED25519 = "ed25519"


@dataclass(frozen=True)
class GeneratedRequest:
    """A new key and the request that goes with it."""

    private_key_pem: str = field(repr=False)
    """PKCS #8, not encrypted."""

    csr_pem: str


def generate_key(kind: KeyKind) -> PrivateKey:
    """Make a private key. RSA of 4096 bits takes up to some seconds."""
    match kind:
        case KeyKind.ECDSA_P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.ECDSA_P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyKind.RSA_2048:
            return rsa.generate_private_key(65537, 2048)
        case KeyKind.RSA_4096:
            return rsa.generate_private_key(65537, 4096)
        case KeyKind.ED25519:
            return ed25519.Ed25519PrivateKey.generate()


def generate_request(subject: Subject, kind: KeyKind = KeyKind.ECDSA_P256) -> GeneratedRequest:
    """
    Make a key and a CSR.

    Raises:
        InvalidCertificateRequest: If the subject is empty or unfit.
    """
    check_subject(subject)
    key = generate_key(kind)
    request = x509.CertificateSigningRequestBuilder().subject_name(to_name(subject)).sign(key, signing_hash(key))
    return GeneratedRequest(plain_pem(key).decode("ascii"), request.public_bytes(Encoding.PEM).decode("ascii"))
