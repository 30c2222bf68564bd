"""PKCS #12 files, read by OpenSSL as a phone would."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from conftest import require_tool
from hauberk.certificate import Subject
from hauberk.errors import InvalidRequest
from hauberk.pki.authority import Authority
from hauberk.pki.bundle import make_bundle
from hauberk.pki.generate import KeyKind, generate_request
from hauberk.pki.pkcs8 import encrypted_pem
from hauberk.pki.request import parse_request

NOW = datetime.now(UTC)
AUTHORITY = Authority.create(Subject.of(common_name="Test CA"), 7300, NOW)
PASSWORD = "pass wörd"


def issued(kind: KeyKind = KeyKind.ECDSA_P256) -> tuple[str, str]:
    generated = generate_request(Subject.of(common_name="phone"), kind)
    signed = AUTHORITY.sign(parse_request(generated.csr_pem), 30, NOW, "http://127.0.0.1/x.crl")
    return signed.certificate_pem, generated.private_key_pem


@pytest.mark.parametrize(("legacy", "cipher"), [(False, "AES-256-CBC"), (True, "pbeWithSHA1And3-KeyTripleDES-CBC")])
@pytest.mark.parametrize("kind", [KeyKind.ECDSA_P256, KeyKind.RSA_2048])
def test_openssl_opens_a_bundle(kind: KeyKind, legacy: bool, cipher: str, tmp_path: Path) -> None:
    openssl = require_tool("openssl")
    certificate, key = issued(kind)
    bundle = make_bundle(certificate, key, AUTHORITY.certificate_pem, friendly_name="My phone", password="secret", legacy=legacy)
    (tmp_path / "phone.p12").write_bytes(bundle)
    command = [openssl, "pkcs12", "-in", "phone.p12", "-passin", "pass:secret", "-nodes", "-info"]
    opened = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert cipher in opened.stderr
    assert "RC2" not in opened.stderr
    assert opened.stdout.count("-----BEGIN CERTIFICATE-----") == 2
    assert opened.stdout.count("-----BEGIN PRIVATE KEY-----") == 1
    assert "friendlyName: My phone" in opened.stdout
    wrong = subprocess.run([*command[:5], "pass:wrong", "-nodes"], check=False, cwd=tmp_path, capture_output=True)
    assert wrong.returncode != 0


def test_an_encrypted_key_and_a_password_of_any_letters_are_fine() -> None:
    certificate, key = issued()
    encrypted = encrypted_pem(load_pem_private_key(key.encode(), None), "inner", iterations=1000).decode()  # type: ignore[arg-type]
    bundle = make_bundle(
        certificate, encrypted, AUTHORITY.certificate_pem, friendly_name="Täblet", password=PASSWORD, key_passphrase="inner"
    )
    opened = pkcs12.load_pkcs12(bundle, PASSWORD.encode())
    assert opened.cert is not None
    assert opened.cert.friendly_name == "Täblet".encode()
    assert [extra.certificate for extra in opened.additional_certs] == [AUTHORITY.certificate]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": ""}, "needs a password"),
        ({"certificate_pem": "garbage"}, "not a certificate"),
        ({"authority_pem": "garbage"}, "not a certificate"),
        ({"private_key_pem": "garbage"}, "not a private key"),
        ({"private_key_pem": issued()[1]}, "does not belong to the certificate"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, str], reason: str) -> None:
    certificate, key = issued()
    parts = {
        "certificate_pem": certificate,
        "private_key_pem": key,
        "authority_pem": AUTHORITY.certificate_pem,
        "password": "secret",
    } | change
    with pytest.raises(InvalidRequest, match=reason):
        make_bundle(friendly_name="x", **parts)
