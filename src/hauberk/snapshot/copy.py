"""The last good snapshot on disk, from which a gateway serves while its control plane is away."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hauberk.errors import SnapshotRefused, StorageError
from hauberk.snapshot.document import Snapshot, decode


class SnapshotCopy:
    """
    A file that always holds one whole snapshot: a new one is written beside it, synced, and renamed over it.

    Args:
        path: The file; mode 0600, since a snapshot holds the private keys of server certificates.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Snapshot | None:
        """
        Read the copy; `None` if there is none yet.

        Raises:
            SnapshotRefused: If it is damaged.
            StorageError: If it cannot be read.
        """
        try:
            return decode(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"the snapshot {self.path} cannot be read: {error.strerror}") from error
        except SnapshotRefused as error:
            raise SnapshotRefused(f"{self.path}: {error.message}") from error

    def store(self, snapshot: Snapshot) -> None:
        """
        Replace the copy; on any failure the old one stays as it was.

        Raises:
            StorageError: If it cannot be written, e.g. because the disk is full.
        """
        temporary: str | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(prefix=".snapshot-", dir=self.path.parent)  # mkstemp makes it 0600
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(snapshot.data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, self.path)  # noqa: PTH105 - atomic on one file system
            temporary = None
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageError(
                f"snapshot {snapshot.version} was not kept in {self.path}: {error.strerror}; the older copy is untouched"
            ) from error
        finally:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
