"""Client certificates by the command line, from issue to bundle."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from conftest import require_tool

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


def make_csr(name: str, subject: str = "/CN=sensor-001/O=Temperature Testers") -> Path:
    openssl = require_tool("openssl")
    command = [openssl, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject]
    subprocess.run([*command, "-keyout", f"{name}-key.pem", "-out", f"{name}.csr"], check=True, capture_output=True)
    return Path(f"{name}.csr")


def issue(hauberk: Run, name: str) -> Path:
    hauberk("cert", "issue", "--generate", "--common-name", name)
    return Path(f"{name}.pem")


def test_a_csr_becomes_a_certificate_beside_it(hauberk: Run) -> None:
    ran = hauberk("cert", "issue", "--csr", make_csr("device"), "--days", "30", "--json")
    certificate = x509.load_pem_x509_certificate(Path("device.pem").read_bytes())
    assert {"CN=sensor-001", "O=Temperature Testers"} == set(certificate.subject.rfc4514_string().split(","))
    assert ran.json["validity_days"] == 30
    assert ran.json["certificate_file"] == "device.pem"
    assert "Issued sensor-001" in ran.err


def test_a_generated_key_is_for_its_owner_alone_and_fits(hauberk: Run) -> None:
    ran = hauberk("cert", "issue", "--generate", "--common-name", "door 7/b", "--organization", "Doors", "--out", "made", "--json")
    key_file, certificate_file = Path("made/door_7_b-key.pem"), Path("made/door_7_b.pem")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    key = load_pem_private_key(key_file.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    assert key.public_key() == certificate.public_key()
    assert "PRIVATE KEY" not in ran.out + ran.err


def test_a_key_is_never_overwritten_and_nothing_is_issued_then(hauberk: Run) -> None:
    Path("sensor-key.pem").write_text("precious")
    ran = hauberk("cert", "issue", "--generate", "--common-name", "sensor", ok=False)
    assert "exists already" in ran.err
    assert Path("sensor-key.pem").read_text() == "precious"
    assert hauberk("cert", "list", "--json").json == []
    hauberk("cert", "issue", "--generate", "--common-name", "sensor", "--force")
    assert "PRIVATE KEY" in Path("sensor-key.pem").read_text()
    assert stat.S_IMODE(Path("sensor-key.pem").stat().st_mode) == 0o600


def test_a_refused_request_writes_nothing(hauberk: Run) -> None:
    Path("bad.csr").write_text("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")
    assert "csr" in hauberk("cert", "issue", "--csr", "bad.csr", ok=False).err
    assert not Path("bad.pem").exists()


@pytest.mark.parametrize("by", ["id", "serial_number", "fingerprint_sha256", "common_name", "file"])
def test_a_certificate_is_found_by(hauberk: Run, by: str) -> None:
    issue(hauberk, "other")
    file = issue(hauberk, "sensor")
    known = hauberk("cert", "show", "sensor", "--json").json
    assert hauberk("cert", "show", str(file) if by == "file" else known[by], "--json").json == known


def test_revoked_and_restored(hauberk: Run) -> None:
    file = issue(hauberk, "sensor")
    hauberk("cert", "revoke", file)
    assert hauberk("cert", "show", file, "--json").json["status"] == "revoked"
    assert [c["common_name"] for c in hauberk("cert", "list", "--status", "revoked", "--json").json] == ["sensor"]
    hauberk("cert", "restore", file)
    assert hauberk("cert", "show", file, "--json").json["status"] == "active"


def test_lists_are_searched_and_ordered(hauberk: Run) -> None:
    for name, days in (("pump-1", "9"), ("valve", "2"), ("pump-2", "5")):
        hauberk("cert", "issue", "--generate", "--common-name", name, "--days", days)
    found = hauberk("cert", "list", "--search", "PUMP", "--order", "expires_on", "--json").json
    assert [certificate["common_name"] for certificate in found] == ["pump-2", "pump-1"]
    assert [one["common_name"] for one in hauberk("cert", "list", "--json").json] == ["pump-2", "valve", "pump-1"]


def test_two_of_one_name_have_to_be_told_apart(hauberk: Run) -> None:
    issue(hauberk, "twin")
    hauberk("cert", "issue", "--generate", "--common-name", "twin", "--name", "second")
    assert "2 client certificates are named 'twin'" in hauberk("cert", "revoke", "twin", ok=False).err
    hauberk("cert", "revoke", "second.pem")
    # Now it is clear which is meant.
    hauberk("cert", "revoke", "twin")
    assert {c["status"] for c in hauberk("cert", "list", "--json").json} == {"revoked"}


@pytest.mark.parametrize("wanted", ["nobody", "00000000-0000-4000-8000-000000000000", "hauberk.key"])
def test_an_unknown_certificate_is_said(hauberk: Run, wanted: str) -> None:
    Path("hauberk.key").write_text("no certificate")
    assert "error: " in hauberk("cert", "show", wanted, ok=False).err


def test_the_list_is_legible_without_a_terminal(hauberk: Run) -> None:
    issue(hauberk, "sensor-with-a-rather-long-name.devices.example.com")
    head, row = hauberk("cert", "list").out.splitlines()
    assert head.split("  ")[0] == "COMMON NAME"
    assert row.startswith("sensor-with-a-rather-long-name.devices.example.com  active")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_bundle_opens_with_its_password(hauberk: Run, legacy: bool) -> None:
    issue(hauberk, "phone")
    Path("password").write_text("correct horse\n")
    words = ["cert", "bundle", "phone.pem", "--key", "phone-key.pem", "--out", "phone.p12", "--password-file", "password"]
    hauberk(*words, *(["--legacy"] if legacy else []))
    assert stat.S_IMODE(Path("phone.p12").stat().st_mode) == 0o600
    opened = pkcs12.load_pkcs12(Path("phone.p12").read_bytes(), b"correct horse")
    assert opened.cert is not None
    assert opened.cert.friendly_name == b"phone"
    assert opened.cert.certificate == x509.load_pem_x509_certificate(Path("phone.pem").read_bytes())
    assert opened.key is not None
    assert len(opened.additional_certs) == 1
    assert "exists already" in hauberk(*words, ok=False).err


def test_a_bundle_of_a_certificate_and_another_key_is_refused(hauberk: Run) -> None:
    issue(hauberk, "phone")
    issue(hauberk, "other")
    Path("password").write_text("secret\n")
    words = ["cert", "bundle", "phone", "--key", "other-key.pem", "--out", "phone.p12", "--password-file", "password"]
    assert "does not belong" in hauberk(*words, ok=False).err
    assert not Path("phone.p12").exists()


def test_without_a_terminal_the_password_comes_from_a_file(hauberk: Run) -> None:
    issue(hauberk, "phone")
    ran = hauberk("cert", "bundle", "phone", "--key", "phone-key.pem", "--out", "phone.p12", ok=False)
    assert ran.status == 2
    assert "--password-file" in ran.err


def test_the_authority_and_its_list_verify_what_was_issued(hauberk: Run) -> None:
    openssl = require_tool("openssl")
    issue(hauberk, "good")
    issue(hauberk, "bad")
    hauberk("cert", "revoke", "bad.pem")
    hauberk("ca", "export", "--out", "authority.pem")
    Path("authority.crl").write_text(hauberk("ca", "crl").out)
    command = [openssl, "verify", "-crl_check", "-CAfile", "authority.pem", "-CRLfile", "authority.crl"]
    assert subprocess.run([*command, "good.pem"], capture_output=True, check=False).returncode == 0
    refused = subprocess.run([*command, "bad.pem"], capture_output=True, text=True, check=False)
    assert "certificate revoked" in refused.stdout + refused.stderr
