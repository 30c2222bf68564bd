"""Certificates the gateway shows to clients: one made here for local use, and checks of those that are supplied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hauberk.errors import InvalidRequest
from hauberk.pki import pem
from hauberk.pki.authority import BACKDATED, new_serial_number
from hauberk.pki.pkcs8 import plain_pem
from hauberk.pki.private_key import UnusableKey, load_private_key, public_key_der

# Clients such as Apple's refuse server certificates of more than 398 days.
SELF_SIGNED_VALIDITY_DAYS = 397
WARN_BEFORE_END = timedelta(days=14)


def self_signed(
    host_name: str, *, loopback: bool = False, validity_days: int = SELF_SIGNED_VALIDITY_DAYS, now: datetime | None = None
) -> tuple[str, str]:
    """
    Make a self-signed certificate: clients have to be told to trust it.

    Args:
        host_name: The host, or `*.` and a domain.

        loopback: Name `localhost`, 127.0.0.1 and ::1 too.

        validity_days: Its life, in days.

        now: The time, with its zone; default: by the clock.

    Returns:
        Certificate and private key, both PEM.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    # A common name holds 64 bytes at most; clients read the alternative names, which hold any host name.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host_name if len(host_name) <= 64 else "hauberk self-signed")])
    names: list[x509.GeneralName] = [x509.DNSName(host_name)]
    if loopback:
        names += [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")), x509.IPAddress(ip_address("::1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(new_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=validity_days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode("ascii"), plain_pem(key).decode("ascii")


def check_server_certificate(certificate_pem: str, private_key_pem: str, host_name: str, *, now: datetime | None = None) -> tuple[str, ...]:
    """
    Check a certificate and key that are to be shown for a host.

    Args:
        certificate_pem: The leaf first, then what leads to its root; text between the blocks is no matter.

        private_key_pem: Its key, not encrypted.

        host_name: The host, or `*.` and a domain.

        now: The time, with its zone; default: by the clock.

    Returns:
        Warnings, each a sentence: it has ended, ends soon, or is not valid yet. These are no errors, so that a certificate that was
        not renewed in time does not keep the other hosts from being served.

    Raises:
        InvalidRequest: If one is unreadable, the key is encrypted or belongs to another certificate, the chain is out of order or
            the certificate does not name the host.
    """
    certificates = _load_chain(certificate_pem)
    try:
        key = load_private_key(private_key_pem)
    except UnusableKey as error:
        hint = " ('openssl pkey -in KEY -out PLAIN' takes the passphrase off; keep the file mode 0600)" if "encrypted" in str(error) else ""
        raise InvalidRequest(f"private_key: the key {error}{hint}", pointer="/private_key_pem") from None
    wanted = public_key_der(key.public_key())
    place = next((i for i, found in enumerate(certificates) if public_key_der(found.public_key()) == wanted), None)
    if place is None:
        raise InvalidRequest("private_key: the key does not belong to the certificate", pointer="/private_key_pem")
    if place > 0:
        raise InvalidRequest(
            f"certificate: the host's own certificate is number {place + 1} in the text and must come first, then the one that signed it",
            pointer="/certificate_pem",
        )
    _check_order(certificates)
    leaf = certificates[0]
    names = _dns_names(leaf)
    if not any(_names(name, host_name) for name in names):
        raise InvalidRequest(
            f"certificate: it does not name the host '{host_name}' among its subject alternative names ({', '.join(names) or 'none'})",
            pointer="/certificate_pem",
        )
    return _date_warnings(leaf, host_name, now or datetime.now(UTC))


def ends_on(certificate_pem: str) -> datetime:
    """
    Tell when a host's certificate ends.

    Raises:
        InvalidRequest: If it is unreadable.
    """
    return _load_chain(certificate_pem)[0].not_valid_after_utc


def _load_chain(certificate_pem: str) -> list[x509.Certificate]:
    if pem.holds_private_key(certificate_pem):
        # Certificates are shown to whoever may read; a key in the same text would be shown with them.
        raise InvalidRequest("certificate: it holds a private key too: put the two in texts of their own", pointer="/certificate_pem")
    try:
        return x509.load_pem_x509_certificates(certificate_pem.encode(errors="replace"))
    except (ValueError, x509.InvalidVersion):
        raise InvalidRequest(
            "certificate: it is not a certificate in PEM form, or was damaged ('-----BEGIN CERTIFICATE-----' is expected)",
            pointer="/certificate_pem",
        ) from None


def _check_order(certificates: list[x509.Certificate]) -> None:
    for i, (certificate, issuer) in enumerate(pairwise(certificates), 1):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise InvalidRequest(
                f"certificate: number {i + 1} in the text did not sign number {i}: put them in order, the host's own first",
                pointer="/certificate_pem",
            ) from None


def _dns_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def _names(name: str, host_name: str) -> bool:
    """Tell whether a name of a certificate covers a host; `*` stands for one label (RFC 9525 §6.3)."""
    if name == host_name:
        return True
    label, dot, parent = host_name.partition(".")
    return bool(dot) and label != "*" and name == f"*.{parent}"


def _date_warnings(certificate: x509.Certificate, host_name: str, now: datetime) -> tuple[str, ...]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= end:
        return (f"the certificate of {host_name} ended on {end:%Y-%m-%d}: clients refuse it; renew it",)
    if now < begin:
        return (f"the certificate of {host_name} is not valid before {begin:%Y-%m-%d %H:%M} UTC: clients refuse it until then",)
    if end - now < WARN_BEFORE_END:
        return (f"the certificate of {host_name} ends on {end:%Y-%m-%d}: renew it",)
    return ()
