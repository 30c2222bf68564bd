"""A state folder belongs to one control plane: it clears up there at its start what an earlier one left half-done."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hauberk.errors import ConfigurationError, StorageError

FILE = "control-plane.lock"


@contextmanager
def only_control_plane(state_dir: Path) -> Iterator[None]:
    """
    Keep other control planes off a state folder until the block ends, or the process does; the folder is made if it is missing.

    Raises:
        ConfigurationError: If another one works there.
        StorageError: If the folder cannot be used.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(state_dir / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"the state folder {state_dir} cannot be used: {error.strerror}; name another one as state_dir") from error
    with os.fdopen(descriptor):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = f"state_dir: another control plane works in {state_dir}: stop it, or give this one a folder of its own"
            raise ConfigurationError(told) from None
        yield
