"""Authorities of the owner's own: accepted or refused by the rules of the API."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from csr_builder import csr, to_pem
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.certificate import Subject
from hauberk.errors import InvalidRequest
from hauberk.pki.authority import Authority
from hauberk.pki.server_certificate import self_signed
from hauberk.pki.upload import parse_upload, public_keys_of

NOW = datetime.now(UTC)
RSA_KEY = rsa.generate_private_key(65537, 2048)
SHA256 = hashes.SHA256()
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def authority(
    key: Any = EC_KEY,
    algorithm: Any = SHA256,
    *,
    ca: bool | None = True,
    cert_sign: bool | None = True,
    days: int = 100,
    **sign: Any,
) -> str:
    name = x509.Name.from_rfc4514_string("CN=Factory CA,O=Example\\, Inc.,C=DE")
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(12345678901234567890)
    )
    builder = builder.not_valid_before(NOW - timedelta(days=1000)).not_valid_after(NOW + timedelta(days=days))
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if cert_sign is not None:
        usage = dict.fromkeys(
            ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only"],
            False,
        )
        builder = builder.add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=cert_sign, **usage), critical=True)
    return builder.sign(key, algorithm, **sign).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("key", "algorithm", "name"),
    [
        (RSA_KEY, hashes.SHA256(), "SHA256WithRSA"),
        (RSA_KEY, hashes.SHA384(), "SHA384WithRSA"),
        (RSA_KEY, hashes.SHA512(), "SHA512WithRSA"),
        (EC_KEY, hashes.SHA256(), "ECDSAWithSHA256"),
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA384(), "ECDSAWithSHA384"),
        (ec.generate_private_key(ec.SECP521R1()), hashes.SHA512(), "ECDSAWithSHA512"),
    ],
)
def test_a_proper_authority_is_described(key: Any, algorithm: Any, name: str) -> None:
    text = authority(key, algorithm)
    described = parse_upload(text.replace("\n", "\r\n"), NOW)
    assert described.certificates_pem == text
    assert described.signature == name
    assert described.serial_number == "12345678901234567890"
    assert described.issuer == "CN=Factory CA,O=Example\\, Inc.,C=DE"
    assert described.expires_on == (NOW + timedelta(days=100)).replace(microsecond=0)
    assert described.public_keys == public_keys_of(text)


def test_several_certificates_are_described_by_the_first() -> None:
    first, second = authority(days=50), authority(RSA_KEY)
    described = parse_upload(first + "\n" + second, NOW)
    assert described.certificates_pem == first + second
    assert described.expires_on == (NOW + timedelta(days=50)).replace(microsecond=0)
    assert len(described.public_keys) == 2


def test_key_usage_may_be_absent() -> None:
    parse_upload(authority(cert_sign=None), NOW)


def test_our_own_kind_of_authority_is_one() -> None:
    parse_upload(Authority.create(Subject.of(common_name="CA"), 10, NOW).certificate_pem, NOW)


KEY_PEM = EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
BAD = {
    "empty": ("", "empty"),
    "words": ("my authority", "not PEM"),
    "a leaf": (self_signed("api.example.com")[0], "certificate 1 is not a CA"),
    "a leaf after it": (authority() + self_signed("api.example.com")[0], "certificate 2 is not a CA"),
    "no basic constraints": (authority(ca=None), "not a CA"),
    "may not sign": (authority(cert_sign=False), "key usage"),
    "ended": (authority(days=-1), "ended on"),
    "Ed25519": (authority(ed25519.Ed25519PrivateKey.generate(), None), "algorithm not accepted"),
    "RSA-PSS": (authority(RSA_KEY, rsa_padding=PSS), "algorithm not accepted"),
    "SHA-224": (authority(RSA_KEY, hashes.SHA224()), "algorithm not accepted"),
    "a key": (KEY_PEM, "private key"),
    "certificate and key": (authority() + KEY_PEM, "private key"),
    "a request": (csr(), "certificate request"),
    "certificate and request": (authority() + csr(), "certificate request"),
    "another block": (to_pem(b"abc", "X509 CRL"), "no certificate"),
    "damaged": (to_pem(b"hello", "CERTIFICATE"), "certificate 1 cannot be read"),
    "text around": ("issuer: me\n" + authority(), "text around"),
    "many": (authority() * 51, "more than 50"),
    "large": (authority() + " " * 2**18, "256 KiB"),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_refused_with_its_reason(name: str) -> None:
    text, reason = BAD[name]
    with pytest.raises(InvalidRequest, match=reason) as refused:
        parse_upload(text, NOW)
    assert refused.value.pointer == "/certificates"


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
def test_random_and_damaged_certificates_are_judged_and_nothing_worse(content: bytes, place: int, byte: int) -> None:
    with pytest.raises(InvalidRequest):
        parse_upload(to_pem(content, "CERTIFICATE"), NOW)
    der = bytearray(x509.load_pem_x509_certificate(ORIGINAL.encode()).public_bytes(Encoding.DER))
    der[place % len(der)] = byte
    with suppress(InvalidRequest):
        parse_upload(to_pem(bytes(der), "CERTIFICATE"), NOW)


ORIGINAL = authority()
