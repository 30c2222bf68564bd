"""PKCS #12: key, certificate and authority in one file under a password, which is what phones and browsers import."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from hauberk.errors import InvalidRequest
from hauberk.pki.private_key import UnusableKey, load_private_key, public_key_der

MEDIA_TYPE = "application/x-pkcs12"
ITERATIONS = 100_000
# Old phones refuse or take minutes over more; 2,048 is what OpenSSL wrote for them.
LEGACY_ITERATIONS = 2048


def make_bundle(
    certificate_pem: str,
    private_key_pem: str,
    authority_pem: str,
    *,
    friendly_name: str,
    password: str,
    key_passphrase: str | None = None,
    legacy: bool = False,
) -> bytes:
    """
    Join a client certificate with its key and authority.

    Args:
        certificate_pem: The client certificate.

        private_key_pem: Its key.

        authority_pem: The authority that signed it.

        friendly_name: What the phone shows.

        password: Asked for at import; not empty.

        key_passphrase: Opens the key, if it is encrypted.

        legacy: Encrypt with three-key triple DES and SHA-1, for phones and systems that cannot read AES here; they usually say that
            the password is wrong. Without it: AES-256 and SHA-256. The old way is weak: use a long random password.

    Raises:
        InvalidRequest: If a part is unreadable, the key does not belong to the certificate, or the password is empty.
    """
    if not password:
        raise InvalidRequest("the bundle needs a password: phones refuse one without", pointer="/password")
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        authority = x509.load_pem_x509_certificate(authority_pem.encode())
    except ValueError:
        raise InvalidRequest("the client certificate or the authority's is not a certificate in PEM form") from None
    try:
        key = load_private_key(private_key_pem, key_passphrase)
    except UnusableKey as error:
        raise InvalidRequest(f"the private key {error}") from None
    if public_key_der(key.public_key()) != public_key_der(certificate.public_key()):
        raise InvalidRequest("the private key does not belong to the certificate: give the one its request was made with")
    builder = PrivateFormat.PKCS12.encryption_builder()
    if legacy:
        builder = builder.kdf_rounds(LEGACY_ITERATIONS).key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(SHA1())  # noqa: S303 - what they can read
    else:
        builder = builder.kdf_rounds(ITERATIONS).key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(SHA256())
    return pkcs12.serialize_key_and_certificates(friendly_name.encode(), key, certificate, [authority], builder.build(password.encode()))
