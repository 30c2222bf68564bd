"""
The managed authority on disk: `authority.key` and `authority.pem` in the state folder, made at first start.

The key is the one thing that cannot be made again: whoever has it can make devices of their own, and without it every device needs
a new certificate. So it is never overwritten except by its own encrypted form, never half written, and never used when others may
read it.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hauberk.certificate import Subject
from hauberk.errors import StorageError
from hauberk.pki.algorithms import PrivateKey
from hauberk.pki.authority import Authority
from hauberk.pki.pkcs8 import encrypted_pem, plain_pem
from hauberk.pki.private_key import UnusableKey, is_encrypted, load_private_key, public_key_der
from hauberk.pki.subject import check_subject

KEY_FILE = "authority.key"
CERTIFICATE_FILE = "authority.pem"
PASSPHRASE_HINT = "set HAUBERK_CA_PASSPHRASE to the passphrase it was encrypted with"  # noqa: S105 - a sentence

log = logging.getLogger(__name__)


class AuthorityTerms(Protocol):
    """What a new authority is to be; `hauberk.config.AuthoritySettings` is one."""

    @property
    def common_name(self) -> str:
        """Common name of its subject."""

    @property
    def organization(self) -> str:
        """Organization of its subject."""

    @property
    def validity_days(self) -> int:
        """Its life, in days."""


def open_managed_authority(
    folder: Path,
    terms: AuthorityTerms,
    passphrase: str | None = None,
    *,
    known_certificate_pem: str | None = None,
    now: datetime | None = None,
) -> Authority:
    """
    Load the managed authority, or make it if this is the first start.

    Args:
        folder: The state folder; made with mode 0700 if it is missing.

        terms: Name and life of a new authority; one that exists keeps its own.

        passphrase: Encrypts the key. A key that is there in plain form is encrypted in place, and that is logged.

        known_certificate_pem: The authority the database knows. With it no other authority is made or accepted: a state folder that
            lost its key must be noticed, not papered over.

        now: The time, with its zone; default: by the clock.

    Raises:
        StorageError: If the files cannot be read or written, others may read the key, it is encrypted and the passphrase is missing
            or wrong, it is damaged, it does not fit the certificate, or the authority is not the one the database knows.
    """
    key_file, certificate_file = folder / KEY_FILE, folder / CERTIFICATE_FILE
    now = now or datetime.now(UTC)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = _load_key(key_file, passphrase)
        if key is None:
            if known_certificate_pem is not None or certificate_file.exists():
                raise StorageError(
                    f"{key_file} is missing, while the certificate it belongs to is there: restore the key from a backup; "
                    "no certificate can be issued or revoked without it"
                )
            authority = _create_authority(terms, now)
            # The key first: a key without a certificate can be completed at the next start, the reverse cannot.
            _create(key_file, encrypted_pem(authority.private_key, passphrase) if passphrase else plain_pem(authority.private_key))
            _create(certificate_file, authority.certificate_pem.encode())
            log.info("certificate authority made", extra={"key_file": str(key_file), "encrypted": bool(passphrase)})
            return authority
        certificate = _load_certificate(certificate_file, known_certificate_pem)
        if certificate is None:
            authority = _create_authority(terms, now, key)
            _create(certificate_file, authority.certificate_pem.encode())
            log.warning("certificate authority completed: its first start was cut short", extra={"key_file": str(key_file)})
            return authority
    except OSError as error:
        raise StorageError(f"{error.filename or folder}: the certificate authority cannot be read or written: {error.strerror}") from error
    if public_key_der(certificate.public_key()) != public_key_der(key.public_key()):
        raise StorageError(f"{key_file} does not belong to the certificate {certificate_file}: restore both from the same backup")
    return Authority(certificate, key)


def _create_authority(terms: AuthorityTerms, now: datetime, key: PrivateKey | None = None) -> Authority:
    subject = Subject.of(common_name=terms.common_name, organization=terms.organization)
    check_subject(subject, "authority: the subject")
    return Authority.create(subject, terms.validity_days, now, key)


def _load_key(file: Path, passphrase: str | None) -> PrivateKey | None:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(stream.fileno())
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise StorageError(
                f"{file} may be read or written by others (mode {stat.S_IMODE(status.st_mode):04o}): 'chmod 600 {file}' closes it; "
                "if others had access to this machine, think about a new authority"
            )
        content = stream.read(64 * 1024)
    try:
        key = load_private_key(content, passphrase)
    except UnusableKey as error:
        hint = f": {PASSPHRASE_HINT}" if is_encrypted(content) and not passphrase else ""
        raise StorageError(f"{file} {error}{hint}") from None
    if passphrase and not is_encrypted(content):
        _replace(file, encrypted_pem(key, passphrase))
        log.warning(
            "the authority's key was plain and is encrypted now; copies in backups, and old blocks of the disk, still hold it plain",
            extra={"key_file": str(file)},
        )
    return key


def _load_certificate(file: Path, known_pem: str | None) -> x509.Certificate | None:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        if known_pem is None:
            return None
        _create(file, known_pem.encode())
        log.warning("the authority's certificate was missing and is written anew from the database", extra={"certificate_file": str(file)})
        content = known_pem.encode()
    try:
        certificate = x509.load_pem_x509_certificate(content)
        certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (ValueError, x509.InvalidVersion, x509.ExtensionNotFound):
        raise StorageError(f"{file} is not the authority's certificate in PEM form, or was damaged: restore it from a backup") from None
    if known_pem is not None and certificate.public_bytes(Encoding.PEM).decode() != known_pem:
        raise StorageError(
            f"{file} is not the authority the database knows: the state folder and the database are from different installations, "
            "or one of them is from an older backup"
        )
    return certificate


def _create(file: Path, content: bytes) -> None:
    """Write a new file, whole or not at all, and never over another."""
    temporary = _write_temporary(file, content)
    try:
        # A link fails if the name is taken, where a rename would replace what another process wrote a moment ago.
        os.link(temporary, file)
    except FileExistsError:
        raise StorageError(f"{file} was written by another process at the same moment: start again") from None
    finally:
        temporary.unlink()
    _sync_folder(file.parent)


def _replace(file: Path, content: bytes) -> None:
    """Put new content in the place of the old in one step."""
    temporary = _write_temporary(file, content)
    try:
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(file.parent)


def _write_temporary(file: Path, content: bytes) -> Path:
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
