"""The authority's files: made once, kept safe, and refused with advice when something is wrong with them."""

from __future__ import annotations

import errno
import logging
import os
import stat
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from conftest import require_tool
from hauberk.errors import StorageError
from hauberk.pki import key_store
from hauberk.pki.authority import Authority
from hauberk.pki.key_store import CERTIFICATE_FILE, KEY_FILE, open_managed_authority

PASSPHRASE = "correct horse battery staple"


@dataclass(frozen=True)
class Terms:
    common_name: str = "Test CA"
    organization: str = "Example"
    validity_days: int = 7300


def open_it(folder: Path, passphrase: str | None = None, known: str | None = None) -> Authority:
    return open_managed_authority(folder, Terms(), passphrase, known_certificate_pem=known)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_an_authority_and_the_next_ones_find_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    first = open_it(folder)
    again = open_managed_authority(folder, Terms("Another name", "Other", 1))
    assert again.certificate == first.certificate
    assert first.certificate.subject.rfc4514_string() == "CN=Test CA,O=Example"
    assert (first.expires_on - datetime.now(UTC)).days in {7299, 7300}
    assert mode(folder) == 0o700
    assert mode(folder / KEY_FILE) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == [KEY_FILE, CERTIFICATE_FILE]


def test_a_permissive_umask_does_not_open_the_key(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_it(tmp_path / "state")
    finally:
        os.umask(before)
    assert mode(tmp_path / "state") == 0o700
    assert mode(tmp_path / "state" / KEY_FILE) == 0o600


def test_with_a_passphrase_the_key_is_encrypted_so_that_openssl_can_open_it(tmp_path: Path) -> None:
    openssl = require_tool("openssl")
    authority = open_it(tmp_path, PASSPHRASE)
    text = (tmp_path / KEY_FILE).read_text()
    assert text.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert open_it(tmp_path, PASSPHRASE).certificate == authority.certificate
    opened = subprocess.run(
        [openssl, "pkey", "-in", KEY_FILE, "-passin", "env:WORDS", "-pubout"],
        cwd=tmp_path,
        env={"WORDS": PASSPHRASE},
        capture_output=True,
        check=True,
    )
    certificate = subprocess.run(
        [openssl, "x509", "-in", CERTIFICATE_FILE, "-noout", "-pubkey"], cwd=tmp_path, capture_output=True, check=True
    )
    assert opened.stdout == certificate.stdout
    shown = subprocess.run([openssl, "asn1parse", "-in", KEY_FILE], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "PBKDF2" in shown
    assert "aes-256-cbc" in shown
    assert "INTEGER           :0927C0" in shown  # 600,000 iterations


def test_a_plain_key_is_encrypted_in_place_once_a_passphrase_is_set_and_that_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = open_it(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert open_it(tmp_path, PASSPHRASE).certificate == authority.certificate
    assert "encrypted now" in caplog.text
    assert PASSPHRASE not in caplog.text
    assert b"ENCRYPTED" in (tmp_path / KEY_FILE).read_bytes()
    assert mode(tmp_path / KEY_FILE) == 0o600
    assert open_it(tmp_path, PASSPHRASE).private_key.private_numbers() == authority.private_key.private_numbers()  # type: ignore[union-attr]


def test_a_full_disk_while_encrypting_leaves_the_plain_key_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = open_it(tmp_path)
    plain = (tmp_path / KEY_FILE).read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(key_store.os, "fsync", full)
        with pytest.raises(StorageError, match="No space left on device"):
            open_it(tmp_path, PASSPHRASE)
    assert (tmp_path / KEY_FILE).read_bytes() == plain
    assert sorted(path.name for path in tmp_path.iterdir()) == [KEY_FILE, CERTIFICATE_FILE]
    assert open_it(tmp_path, PASSPHRASE).certificate == authority.certificate


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, bits: int) -> None:
    open_it(tmp_path)
    (tmp_path / KEY_FILE).chmod(bits)
    with pytest.raises(StorageError, match=r"chmod 600 .*authority\.key") as refused:
        open_it(tmp_path)
    assert f"{bits:04o}" in refused.value.message


BAD_KEYS = {
    "garbage": (b"garbage", "not a private key"),
    "empty": (b"", "not a private key"),
    "broken block": (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not a private key"),
    "broken encrypted block": (
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "no passphrase was given",
    ),
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_damaged_key_is_refused(tmp_path: Path, name: str) -> None:
    open_it(tmp_path)
    content, reason = BAD_KEYS[name]
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(StorageError, match=reason):
        open_it(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path) -> None:
    open_it(tmp_path, PASSPHRASE)
    with pytest.raises(StorageError, match="HAUBERK_CA_PASSPHRASE"):
        open_it(tmp_path)
    with pytest.raises(StorageError, match="passphrase is wrong") as refused:
        open_it(tmp_path, "another passphrase")
    assert "another passphrase" not in refused.value.message


def test_key_and_certificate_of_two_authorities_are_refused(tmp_path: Path) -> None:
    open_it(tmp_path / "a")
    open_it(tmp_path / "b")
    (tmp_path / "a" / CERTIFICATE_FILE).write_bytes((tmp_path / "b" / CERTIFICATE_FILE).read_bytes())
    with pytest.raises(StorageError, match="does not belong to the certificate"):
        open_it(tmp_path / "a")


def test_a_damaged_certificate_is_refused(tmp_path: Path) -> None:
    open_it(tmp_path)
    (tmp_path / CERTIFICATE_FILE).write_text("garbage")
    with pytest.raises(StorageError, match=r"authority\.pem is not the authority's certificate"):
        open_it(tmp_path)


def test_a_lost_key_is_noticed_and_no_new_authority_is_made(tmp_path: Path) -> None:
    authority = open_it(tmp_path / "a")
    (tmp_path / "a" / KEY_FILE).unlink()
    with pytest.raises(StorageError, match="restore the key from a backup"):
        open_it(tmp_path / "a")
    with pytest.raises(StorageError, match="restore the key from a backup"):
        open_it(tmp_path / "empty", known=authority.certificate_pem)
    assert not (tmp_path / "empty" / KEY_FILE).exists()


def test_an_authority_the_database_does_not_know_is_refused(tmp_path: Path) -> None:
    known = open_it(tmp_path / "a").certificate_pem
    open_it(tmp_path / "b")
    with pytest.raises(StorageError, match="not the authority the database knows"):
        open_it(tmp_path / "b", known=known)


def test_a_lost_certificate_comes_back_from_the_database(tmp_path: Path) -> None:
    authority = open_it(tmp_path)
    (tmp_path / CERTIFICATE_FILE).unlink()
    assert open_it(tmp_path, known=authority.certificate_pem).certificate == authority.certificate
    assert (tmp_path / CERTIFICATE_FILE).read_text() == authority.certificate_pem


def test_a_first_start_that_was_cut_short_after_the_key_is_completed(tmp_path: Path) -> None:
    key = open_it(tmp_path, PASSPHRASE).private_key
    (tmp_path / CERTIFICATE_FILE).unlink()
    assert open_it(tmp_path, PASSPHRASE).certificate.public_key() == key.public_key()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        open_it(tmp_path / "file")


def test_a_key_that_appears_at_the_same_moment_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = open_it(tmp_path / "other")
    folder = tmp_path / "state"
    create = Authority.create

    def slow(*arguments: object) -> Authority:
        folder.joinpath(KEY_FILE).write_bytes((tmp_path / "other" / KEY_FILE).read_bytes())
        return create(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(key_store.Authority, "create", slow)
    with pytest.raises(StorageError, match="another process"):
        open_it(folder)
    key = load_pem_private_key((folder / KEY_FILE).read_bytes(), None)
    assert key.public_key() == other.certificate.public_key()
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
