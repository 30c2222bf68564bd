"""The certificate authority: it makes client certificates of requests that were found good."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hauberk.certificate import AuthorityCertificate, SignedCertificate, Subject
from hauberk.errors import Conflict
from hauberk.pki.algorithms import PrivateKey, signature_name, signing_hash
from hauberk.pki.request import CertificateRequest, check_validity_days
from hauberk.pki.subject import to_name
from hauberk.pki.upload import describe_authority

# Devices set their clocks late and roughly: a certificate that becomes valid this second is "not yet valid" to a slow clock, and
# the first connection fails. Nothing is lost by the past: the key did not exist then.
BACKDATED = timedelta(minutes=5)


class Authority:
    """
    A certificate and its private key, ready to sign.

    Args:
        certificate: A CA certificate.

        private_key: The key it names; `key_store` checks that they match.
    """

    def __init__(self, certificate: x509.Certificate, private_key: PrivateKey) -> None:
        self.certificate = certificate
        self.private_key = private_key
        self.certificate_pem = certificate.public_bytes(Encoding.PEM).decode("ascii")
        identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        self.ski = identifier.digest.hex()
        """Subject key identifier, lower-case hexadecimal."""
        self.key_identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        self._hash = signing_hash(private_key)
        # What every certificate of this authority has in common; builders are immutable, so it is joined once.
        self._client_certificate = (
            x509.CertificateBuilder()
            .issuer_name(certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(self.key_identifier, critical=False)
        )

    @classmethod
    def create(cls, subject: Subject, validity_days: int, now: datetime, private_key: PrivateKey | None = None) -> Authority:
        """
        Make a self-signed authority.

        Args:
            subject: Its own name.

            validity_days: Its life, in days from now.

            now: The time, with its zone.

            private_key: Its key; without one a new ECDSA P-256 key is made.
        """
        key = private_key or ec.generate_private_key(ec.SECP256R1())
        name = to_name(subject)
        now = now.astimezone(UTC).replace(microsecond=0)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(new_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + timedelta(days=validity_days))
            # Path length 0: it signs devices, not further authorities.
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(identifier, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(key, signing_hash(key))
        )
        return cls(certificate, key)

    @property
    def name(self) -> str:
        """Its common name, for people; the whole subject if it has none."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else self.certificate.subject.rfc4514_string()

    @property
    def expires_on(self) -> datetime:
        """Its end; no certificate of it lives longer."""
        return self.certificate.not_valid_after_utc

    @property
    def description(self) -> AuthorityCertificate:
        """What is known of it, to be stored."""
        return describe_authority([self.certificate])

    def sign(self, request: CertificateRequest, validity_days: int, now: datetime, crl_url: str) -> SignedCertificate:
        """
        Make a client certificate: for TLS client authentication, no CA, with the request's key and subject and nothing else of it.

        Args:
            request: A request that was found good.

            validity_days: 1 to 5475, from now; cut at the authority's own end.

            now: The time, with its zone.

            crl_url: Where the authority's revocation list is served.

        Raises:
            InvalidCertificateRequest: If the validity is outside its range.
            Conflict: If the authority itself has ended.
        """
        check_validity_days(validity_days)
        issued_on = now.astimezone(UTC)
        now = issued_on.replace(microsecond=0)
        if now >= self.expires_on:
            raise Conflict(f"the certificate authority '{self.name}' ended on {self.expires_on:%Y-%m-%d} and signs no more")
        identifier = x509.SubjectKeyIdentifier.from_public_key(request.public_key)
        certificate = (
            self._client_certificate.subject_name(to_name(request.subject))
            .public_key(request.public_key)
            .serial_number(new_serial_number())
            .not_valid_before(max(now - BACKDATED, self.certificate.not_valid_before_utc))
            .not_valid_after(min(now + timedelta(days=validity_days), self.expires_on))
            .add_extension(identifier, critical=False)
            .add_extension(_distribution_point(crl_url), critical=False)
            .sign(self.private_key, self._hash)
        )
        return SignedCertificate(
            certificate_pem=certificate.public_bytes(Encoding.PEM).decode("ascii"),
            subject=request.subject,
            serial_number=certificate.serial_number,
            fingerprint_sha256=certificate.fingerprint(SHA256()).hex(),
            ski=identifier.digest.hex(),
            signature=signature_name(certificate.signature_algorithm_oid),
            issued_on=issued_on,
            expires_on=certificate.not_valid_after_utc,
        )


def new_serial_number() -> int:
    """Make a random serial number of up to 128 bits, never zero (RFC 5280 §4.1.2.2 wants it positive and within 20 octets)."""
    return secrets.randbelow(2**128 - 1) + 1


def _distribution_point(crl_url: str) -> x509.CRLDistributionPoints:
    location = x509.UniformResourceIdentifier(crl_url)
    return x509.CRLDistributionPoints([x509.DistributionPoint([location], relative_name=None, reasons=None, crl_issuer=None)])


def _key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
