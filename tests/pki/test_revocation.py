"""The revocation list, judged by OpenSSL."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from csr_builder import csr

from conftest import require_tool
from hauberk.certificate import Subject
from hauberk.pki.authority import Authority
from hauberk.pki.request import parse_request
from hauberk.pki.revocation import RevokedCertificate, sign_revocation_list

NOW = datetime.now(UTC)
AUTHORITY = Authority.create(Subject.of(common_name="Test CA"), 7300, NOW)


def test_openssl_refuses_what_is_on_the_list_and_only_that(tmp_path: Path) -> None:
    openssl = require_tool("openssl")
    revoked, good = (AUTHORITY.sign(parse_request(csr()), 30, NOW, "http://127.0.0.1/x.crl") for _ in range(2))
    signed = sign_revocation_list(AUTHORITY, [RevokedCertificate(revoked.serial_number, NOW)], 7, NOW)
    (tmp_path / "ca.pem").write_text(AUTHORITY.certificate_pem)
    (tmp_path / "list.pem").write_text(signed.crl_pem)
    (tmp_path / "list.crl").write_bytes(signed.crl_der)
    (tmp_path / "revoked.pem").write_text(revoked.certificate_pem)
    (tmp_path / "good.pem").write_text(good.certificate_pem)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([openssl, *arguments], check=False, cwd=tmp_path, capture_output=True, text=True)

    shown = run("crl", "-inform", "DER", "-in", "list.crl", "-noout", "-text", "-CAfile", "ca.pem")
    assert "verify OK" in shown.stderr
    assert "X509v3 Authority Key Identifier" in shown.stdout
    assert "X509v3 CRL Number: \n                7" in shown.stdout
    check = ("verify", "-crl_check", "-CAfile", "ca.pem", "-CRLfile", "list.pem")
    assert run(*check, "good.pem").stdout == "good.pem: OK\n"
    refused = run(*check, "revoked.pem")
    assert refused.returncode != 0
    assert "certificate revoked" in refused.stderr


def test_a_list_holds_for_a_day_and_may_be_empty() -> None:
    signed = sign_revocation_list(AUTHORITY, [], 1, NOW)
    crl = x509.load_der_x509_crl(signed.crl_der)
    assert crl.is_signature_valid(AUTHORITY.certificate.public_key())  # type: ignore[arg-type]
    assert len(crl) == 0
    assert crl.next_update_utc == crl.last_update_utc + timedelta(hours=24) == signed.next_update
    assert crl.last_update_utc == signed.this_update


def test_entries_keep_their_time_to_the_second() -> None:
    when = datetime(2026, 3, 4, 5, 6, 7, 999_999, tzinfo=UTC)
    crl = x509.load_der_x509_crl(sign_revocation_list(AUTHORITY, [RevokedCertificate(2**127 + 1, when)], 1, NOW).crl_der)
    assert crl[0].serial_number == 2**127 + 1
    assert crl[0].revocation_date_utc == when.replace(microsecond=0)


def test_a_hundred_thousand_entries_are_signed_in_seconds() -> None:
    """`add_revoked_certificate` one by one takes minutes."""
    started = time.monotonic()
    signed = sign_revocation_list(AUTHORITY, (RevokedCertificate(i, NOW) for i in range(1, 100_001)), 1, NOW)
    assert len(x509.load_der_x509_crl(signed.crl_der)) == 100_000
    assert time.monotonic() - started < 20
