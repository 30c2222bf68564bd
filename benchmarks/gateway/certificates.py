"""A throw-away authority, a server certificate and a client certificate, all ECDSA P-256, for the rows with TLS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = timedelta(days=1)


@dataclass(frozen=True)
class Certificates:
    """Files in PEM."""

    authority: Path
    server: Path
    server_key: Path
    client_with_key: Path
    """Certificate and private key in one file, as `ab -E` wants it."""


def write_certificates(folder: Path, server_names: list[str]) -> Certificates:
    """Make the authority and what it signs, and write them into a folder."""
    files = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key", folder / "client.pem")
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(
        "Benchmark authority", authority_key, None, [x509.BasicConstraints(ca=True, path_length=0), _usage(authority=True)]
    )
    issuer = (authority, authority_key)

    server_key = ec.generate_private_key(ec.SECP256R1())
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in server_names])
    server = _certificate(
        server_names[0], server_key, issuer, [alternatives, _usage(), x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]
    )

    client_key = ec.generate_private_key(ec.SECP256R1())
    client = _certificate("benchmark client", client_key, issuer, [_usage(), x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])])

    files.authority.write_bytes(_pem(authority))
    files.server.write_bytes(_pem(server))
    files.server_key.write_bytes(_key_pem(server_key))
    files.client_with_key.write_bytes(_pem(client) + _key_pem(client_key))
    return files


def _certificate(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    extensions: list[x509.ExtensionType],
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key())
        builder = builder.add_extension(identifier, critical=False)
    for extension in extensions:
        critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def _usage(*, authority: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
