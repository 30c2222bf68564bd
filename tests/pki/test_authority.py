"""What an authority puts into a certificate, judged by OpenSSL and by cryptography."""

from __future__ import annotations

import subprocess
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from csr_builder import OIDS, csr
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import require_tool
from hauberk.certificate import SUBJECT_FIELDS, Subject
from hauberk.errors import Conflict, InvalidCertificateRequest
from hauberk.pki.authority import BACKDATED, Authority
from hauberk.pki.generate import KeyKind, generate_request
from hauberk.pki.request import parse_request
from hauberk.pki.subject import MAX_BYTES

NOW = datetime.now(UTC)
CRL_URL = "http://127.0.0.1:8080/crl/authority.crl"
AUTHORITY = Authority.create(Subject.of(common_name="Test CA", organization="Example"), 7300, NOW)


def issue(csr_pem: str, days: int = 30, authority: Authority = AUTHORITY, now: datetime = NOW) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.sign(parse_request(csr_pem), days, now, CRL_URL).certificate_pem.encode())


@pytest.mark.parametrize("kind", list(KeyKind))
def test_openssl_verifies_a_certificate_for_clients_and_for_nothing_else(kind: KeyKind, tmp_path: Path) -> None:
    openssl = require_tool("openssl")
    request = parse_request(generate_request(Subject.of(common_name="device"), kind).csr_pem)
    (tmp_path / "ca.pem").write_text(AUTHORITY.certificate_pem)
    (tmp_path / "device.pem").write_text(AUTHORITY.sign(request, 30, NOW, CRL_URL).certificate_pem)
    verify = [openssl, "verify", "-x509_strict", "-CAfile", "ca.pem"]
    good = subprocess.run([*verify, "-purpose", "sslclient", "device.pem"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert good.stdout == "device.pem: OK\n", good.stderr
    bad = subprocess.run([*verify, "-purpose", "sslserver", "device.pem"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert bad.returncode != 0
    assert "purpose" in bad.stderr


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 3072), ed25519.Ed25519PrivateKey.generate()]
)
def test_an_authority_may_have_any_good_kind_of_key(key: ec.EllipticCurvePrivateKey) -> None:
    authority = Authority.create(Subject.of(common_name="CA"), 10, NOW, key)
    certificate = issue(csr(), authority=authority)
    certificate.verify_directly_issued_by(authority.certificate)


def test_a_certificate_has_exactly_these_extensions() -> None:
    certificate = issue(csr())
    found = {extension.oid: extension for extension in certificate.extensions}
    assert set(found) == {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
    constraints, usage = found[ExtensionOID.BASIC_CONSTRAINTS], found[ExtensionOID.KEY_USAGE]
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=False, path_length=None)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert list(found[ExtensionOID.EXTENDED_KEY_USAGE].value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert found[ExtensionOID.AUTHORITY_KEY_IDENTIFIER].value.key_identifier.hex() == AUTHORITY.ski
    point = found[ExtensionOID.CRL_DISTRIBUTION_POINTS].value[0]
    assert point.full_name == [x509.UniformResourceIdentifier(CRL_URL)]


def test_nothing_but_key_and_subject_is_taken_from_a_request() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    wishes = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(OIDS["common_name"], "device"), x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, "a@b")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example.com")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, x509.load_pem_x509_csr(csr().encode()).signature_hash_algorithm)
    )
    certificate = issue(wishes.public_bytes(Encoding.PEM).decode())
    assert certificate.subject.rfc4514_string() == "CN=device"
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert len(certificate.extensions) == 6
    assert certificate.public_key() == key.public_key()


def test_the_object_tells_what_is_in_the_certificate() -> None:
    signed = AUTHORITY.sign(parse_request(csr(common_name="device")), 30, NOW, CRL_URL)
    certificate = x509.load_pem_x509_certificate(signed.certificate_pem.encode())
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert signed.serial_number == certificate.serial_number
    assert signed.ski == identifier.hex()
    assert len(signed.ski) == 40
    assert signed.signature == "ECDSAWithSHA256"
    assert signed.expires_on == certificate.not_valid_after_utc
    assert len(signed.fingerprint_sha256) == 64


def test_it_begins_a_little_earlier_and_ends_after_the_days_asked_for() -> None:
    later = NOW + timedelta(days=1)
    certificate = issue(csr(), 365, now=later)
    second = later.replace(microsecond=0)
    assert certificate.not_valid_before_utc == second - BACKDATED
    assert certificate.not_valid_after_utc == second + timedelta(days=365)


def test_it_never_outlives_its_authority_and_an_ended_authority_signs_no_more() -> None:
    authority = Authority.create(Subject.of(common_name="Short CA"), 10, NOW)
    assert issue(csr(), 5475, authority).not_valid_after_utc == authority.expires_on
    assert issue(csr(), 1, authority).not_valid_before_utc >= authority.certificate.not_valid_before_utc
    with pytest.raises(Conflict, match="signs no more"):
        issue(csr(), 1, authority, NOW + timedelta(days=10))


def test_a_validity_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidCertificateRequest):
        issue(csr(), 5476)


def test_serial_numbers_are_positive_random_and_of_up_to_128_bits() -> None:
    request = parse_request(csr())
    serials = {AUTHORITY.sign(request, 1, NOW, CRL_URL).serial_number for _ in range(200)}
    assert len(serials) == 200
    assert all(0 < serial < 2**128 for serial in serials)
    assert max(serial.bit_length() for serial in serials) > 120


def test_the_authority_is_one_for_devices_only() -> None:
    extensions = AUTHORITY.certificate.extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=0)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
    assert usage.crl_sign
    assert not usage.digital_signature
    assert AUTHORITY.name == "Test CA"
    AUTHORITY.certificate.verify_directly_issued_by(AUTHORITY.certificate)


def test_a_signed_key_keeps_its_kind() -> None:
    key = rsa.generate_private_key(65537, 2048)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert issue(csr(key)).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == spki


def printable(character: str) -> bool:
    return (
        unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        and character not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


def values(field: str) -> st.SearchStrategy[str | None]:
    if field == "country":
        return st.none() | st.text("ABCXYZabc", min_size=2, max_size=2)
    text = st.text(st.characters(codec="utf-8").filter(printable), min_size=1, max_size=MAX_BYTES[field])
    return st.none() | text.filter(lambda value: value.strip() != "" and len(value.encode()) <= MAX_BYTES[field])


SUBJECTS = st.builds(Subject.of, **{field: values(field) for field in SUBJECT_FIELDS}).filter(lambda subject: bool(subject.attributes))


@settings(deadline=None, max_examples=150)
@given(SUBJECTS)
def test_a_subject_goes_through_request_and_certificate_unchanged(subject: Subject) -> None:
    signed = AUTHORITY.sign(parse_request(generate_request(subject).csr_pem), 1, NOW, CRL_URL)
    certificate = x509.load_pem_x509_certificate(signed.certificate_pem.encode())
    fields = {oid: field for field, oid in OIDS.items()}
    assert tuple((fields[part.oid], part.value) for part in certificate.subject) == subject.attributes
    assert signed.subject == subject
