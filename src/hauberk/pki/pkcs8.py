"""
Encrypting a private key at rest: PKCS #8 with PBES2 (RFC 8018), PBKDF2-HMAC-SHA256 and AES-256-CBC.

`cryptography` writes the same form with 2,048 iterations, which a guesser tries by the million each second; the number here is that
of OWASP's password storage advice. It reads any number, as OpenSSL does, so only writing is done here.
"""

from __future__ import annotations

import base64
import os
import textwrap

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hauberk.pki import der
from hauberk.pki.algorithms import PrivateKey

ITERATIONS = 600_000
KEY_BYTES = 32
BLOCK_BYTES = 16

_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("2a864886f70d0209")
_AES_256_CBC = bytes.fromhex("60864801650304012a")


def plain_pem(key: PrivateKey) -> bytes:
    """Write a key as it is, for whoever is to have it or for a file only its owner may read."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def encrypted_pem(key: PrivateKey, passphrase: str, *, iterations: int = ITERATIONS) -> bytes:
    """
    Write a key encrypted under a passphrase; takes some tenths of a second, by design.

    Example:
        `openssl pkey -in authority.key` asks for the passphrase and shows the key.
    """
    salt, initial_vector = os.urandom(16), os.urandom(BLOCK_BYTES)
    secret = PBKDF2HMAC(SHA256(), KEY_BYTES, salt, iterations).derive(passphrase.encode())
    padder = PKCS7(BLOCK_BYTES * 8).padder()
    content = padder.update(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())) + padder.finalize()
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(initial_vector)).encryptor()
    encrypted = encryptor.update(content) + encryptor.finalize()
    pseudo_random_function = der.element(der.SEQUENCE, der.element(der.OBJECT_IDENTIFIER, _HMAC_SHA256), der.element(der.NULL))
    derivation = der.element(
        der.SEQUENCE,
        der.element(der.OBJECT_IDENTIFIER, _PBKDF2),
        der.element(der.SEQUENCE, der.element(der.OCTET_STRING, salt), der.integer(iterations), pseudo_random_function),
    )
    encryption = der.element(der.SEQUENCE, der.element(der.OBJECT_IDENTIFIER, _AES_256_CBC), der.element(der.OCTET_STRING, initial_vector))
    scheme = der.element(der.SEQUENCE, der.element(der.OBJECT_IDENTIFIER, _PBES2), der.element(der.SEQUENCE, derivation, encryption))
    info = der.element(der.SEQUENCE, scheme, der.element(der.OCTET_STRING, encrypted))
    lines = "\n".join(textwrap.wrap(base64.b64encode(info).decode("ascii"), 64))
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{lines}\n-----END ENCRYPTED PRIVATE KEY-----\n".encode("ascii")
