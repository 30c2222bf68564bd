"""Which keys and signatures are good enough, and what they are called."""

from __future__ import annotations

import math
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

MIN_RSA_BITS = 2048
# Verifying a signature takes time with the square of the size, and whoever may send a request may send many; nobody needs larger.
MAX_RSA_BITS = 8192
# SP 800-56B: the public exponent is odd and 2^16 < e < 2^256. Small ones make forgeries and bad padding easier.
MIN_RSA_EXPONENT = 65537
MAX_RSA_EXPONENT_BITS = 256

ACCEPTED_KEYS = "RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384, or Ed25519"
# A modulus with a factor among these was made by a broken generator, or was damaged.
_SMALL_PRIMES = math.prod(p for p in range(2, 752) if all(p % q for q in range(2, int(p**0.5) + 1)))

SIGNATURE_NAMES = {
    SignatureAlgorithmOID.RSA_WITH_SHA1: "SHA1WithRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA256: "SHA256WithRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA384: "SHA384WithRSA",
    SignatureAlgorithmOID.RSA_WITH_SHA512: "SHA512WithRSA",
    SignatureAlgorithmOID.ECDSA_WITH_SHA1: "ECDSAWithSHA1",
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "ECDSAWithSHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "ECDSAWithSHA384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "ECDSAWithSHA512",
    SignatureAlgorithmOID.ED25519: "Ed25519",
}
"""What signature algorithms are called in the API."""


def key_weakness(key: Any) -> str | None:
    """
    Say why a public key is not accepted.

    Returns:
        A clause such as "its RSA key has 1024 bits"; `None` if the key is good.
    """
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa_weakness(key)
    if isinstance(key, ec.EllipticCurvePublicKey):
        known = isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
        return None if known else f"its key is on the curve {key.curve.name}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return None
    return "its key is of another kind"


def _rsa_weakness(key: rsa.RSAPublicKey) -> str | None:
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        return f"its RSA key has {key.key_size} bits"
    numbers = key.public_numbers()
    if numbers.e < MIN_RSA_EXPONENT or numbers.e % 2 == 0 or numbers.e.bit_length() > MAX_RSA_EXPONENT_BITS:
        return "its RSA key has an unsafe public exponent (65537 is the usual one)"
    if math.gcd(numbers.n, _SMALL_PRIMES) != 1:
        return "its RSA modulus has a small factor, so it was made by a broken generator or damaged"
    return None


def signing_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    """Choose the hash to sign with: as strong as the curve; Ed25519 brings its own, hence `None`."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        return hashes.SHA384()
    return hashes.SHA256()


def signature_name(algorithm: x509.ObjectIdentifier) -> str:
    """Name a signature algorithm, e.g. `SHA256WithRSA`; one without a name is given as its object identifier."""
    return SIGNATURE_NAMES.get(algorithm, algorithm.dotted_string)
