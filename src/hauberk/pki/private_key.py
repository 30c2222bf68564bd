"""Private keys read from PEM, with a reason when they cannot be."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from hauberk.pki.algorithms import ACCEPTED_KEYS, PrivateKey, key_weakness


class UnusableKey(ValueError):
    """A private key that cannot be used; the message is a clause without a subject, such as "is encrypted: …"."""


def is_encrypted(key_pem: str | bytes) -> bool:
    """Tell whether a PEM key needs a passphrase, in PKCS #8 or in OpenSSL's older form."""
    text = key_pem if isinstance(key_pem, bytes) else key_pem.encode(errors="replace")
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in text or b"Proc-Type: 4,ENCRYPTED" in text


def load_private_key(key_pem: str | bytes, passphrase: str | None = None) -> PrivateKey:
    """
    Read one private key.

    Args:
        key_pem: PKCS #8 or the older forms of OpenSSL.

        passphrase: Used if the key is encrypted, else ignored.

    Raises:
        UnusableKey: If it is encrypted and there is no passphrase or a wrong one, it is no private key, or of a kind or size not
            accepted.
    """
    encrypted = is_encrypted(key_pem)
    if encrypted and not passphrase:
        raise UnusableKey("is encrypted, and no passphrase was given")
    try:
        content = key_pem if isinstance(key_pem, bytes) else key_pem.encode("ascii")
        key = load_pem_private_key(content, passphrase.encode() if encrypted and passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if encrypted:
            raise UnusableKey("cannot be decrypted: the passphrase is wrong, or the key was damaged") from None
        raise UnusableKey("is not a private key in PEM form, or was damaged ('-----BEGIN PRIVATE KEY-----' is expected)") from None
    if not isinstance(key, PrivateKey):
        raise UnusableKey(f"is of a kind not known here: use {ACCEPTED_KEYS}")
    if (weakness := key_weakness(key.public_key())) is not None:
        raise UnusableKey(f"is not accepted, {weakness}: use {ACCEPTED_KEYS}")
    return key


def public_key_der(key: PublicKeyTypes) -> bytes:
    """Give the DER of a public key, by which two are compared."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
