"""The key under which secrets in recorded traffic become hashes. It stays in the state folder."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from hauberk.errors import StorageError

KEY_BYTES = 32
KEY_FILE = "traffic.key"


def masking_key(state_dir: Path) -> bytes:
    """
    Give the key of this installation; the first call makes it.

    Equal secrets have equal hashes under one key. Whoever has the key can try out which secret a hash stands for, so the file has mode
    0600. A new key makes a new start: sessions of before are not recognised.

    Raises:
        StorageError: If the file cannot be read or written, or holds something else.
    """
    path = state_dir / KEY_FILE
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make(path)
        key = path.read_bytes()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StorageError(f"the masking key {path} cannot be used: {error.strerror}") from error
    if len(key) != KEY_BYTES:
        raise StorageError(f"the masking key {path} has {len(key)} bytes instead of {KEY_BYTES}: restore it, or delete it to begin anew")
    return key


def _make(path: Path) -> None:
    """Write the file whole before it has its name; of two processes that do so at once, one wins."""
    made = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink()
