"""What a certificate request says, for the person who is about to have it signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hauberk.pki.algorithms import PublicKey, signature_name
from hauberk.pki.request import CertificateRequest

MAX_NAMES = 100


@dataclass(frozen=True)
class RequestSummary:
    """What a good request says besides its subject."""

    key: str
    """E.g. `ECDSA P-256`."""

    public_key_sha256: str
    """SHA-256 of the key (SubjectPublicKeyInfo), lower-case hexadecimal: two requests with the same one have the same key."""

    signature: str
    """E.g. `ECDSAWithSHA256`."""

    left_out: Sequence[str]
    """What it asks for and no certificate gets: alternative names and further extensions, each as `DNS:a.example` or by name."""


def summarise(request: CertificateRequest) -> RequestSummary:
    """Tell what a request says."""
    loaded = x509.load_pem_x509_csr(request.csr_pem.encode("ascii"))
    digest = Hash(SHA256())
    digest.update(request.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return RequestSummary(
        key_name(request.public_key),
        digest.finalize().hex(),
        signature_name(loaded.signature_algorithm_oid),
        _left_out(loaded),
    )


def key_name(key: PublicKey) -> str:
    """Name a key's kind and size."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA P-256" if isinstance(key.curve, ec.SECP256R1) else "ECDSA P-384"
    return "Ed25519"


def _left_out(request: x509.CertificateSigningRequest) -> list[str]:
    try:
        extensions = list(request.extensions)
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return ["extensions that cannot be read"]
    asked: list[str] = []
    for extension in extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            asked += [_general_name(name) for name in extension.value]
        else:
            asked.append(extension.oid._name if extension.oid._name != "Unknown OID" else extension.oid.dotted_string)
    return asked[:MAX_NAMES]


def _general_name(name: x509.GeneralName) -> str:
    kinds = {x509.DNSName: "DNS", x509.RFC822Name: "email", x509.UniformResourceIdentifier: "URI", x509.IPAddress: "IP"}
    return f"{kinds.get(type(name), 'other name')}:{name.value}" if type(name) in kinds else "another kind of name"
