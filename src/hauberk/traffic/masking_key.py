"""
The key under which secrets in traffic become hashes: `traffic.key` in the state folder, made when it is first needed.

Equal secrets have equal hashes under one key, so sessions can be followed; who has the key can try out which secret gives a hash. So it
is readable by its owner alone, and is never overwritten: with another key no hash would fit those that are stored already.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from hauberk.errors import StorageError

KEY_FILE = "traffic.key"
KEY_BYTES = 32


def masking_key(folder: Path) -> bytes:
    """
    Load the key, or make it. Several processes may do that at once; all get the same key.

    Args:
        folder: The state folder; made with mode 0700 if it is missing.

    Raises:
        StorageError: If it cannot be read or written, others may read it, or it is damaged.
    """
    file = folder / KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return _read(file)
        except FileNotFoundError:
            _create(file)
            return _read(file)
    except OSError as error:
        raise StorageError(f"{error.filename or file}: the key of traffic cannot be read or written: {error.strerror}") from error


def _read(file: Path) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        key = stream.read(KEY_BYTES + 1)
    if mode & 0o077:
        raise StorageError(f"{file} may be read by others (mode {mode:04o}): 'chmod 600 {file}', if nobody has read it")
    if len(key) != KEY_BYTES:
        raise StorageError(
            f"{file} is damaged, a key has {KEY_BYTES} bytes: restore it from a backup, or remove it to begin with a new one"
        )
    return key


def _create(file: Path) -> None:
    """Write a new key beside its place and link it there, so nobody sees half a key and no key is replaced."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, file)
    except FileExistsError:
        pass  # another process was faster; its key is the key
    finally:
        temporary.unlink(missing_ok=True)
