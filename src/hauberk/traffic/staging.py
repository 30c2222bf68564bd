"""
Rows that are to be in the store all or not at all: they are written to a folder of their own, and moved when they are complete.

    <folder>/segments/host=…/hour=…/….parquet
    <folder>/complete

Until `complete` is there, whoever finds the folder deletes it. From then on the rows belong to the store: moving them may be begun again
as often as it was cut short, since each segment has its name already.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from hauberk.errors import StorageError
from hauberk.traffic.segments import SegmentFolder
from hauberk.traffic.store import TrafficStore

SEGMENTS = "segments"
COMPLETE = "complete"
# Four times as much is in memory until it becomes segments; with less, there would be more of them to be read ever after.
STAGED_BYTES = 4 * 2**20


class StagedRows:
    """
    Rows on their way to a store.

    Args:
        folder: Where they wait; it need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def store(self, writer: str) -> TrafficStore:
        """Give the store that the rows are written to first."""
        return TrafficStore(self.folder / SEGMENTS, writer=writer, segment_bytes=STAGED_BYTES)

    def hours(self) -> tuple[datetime, datetime] | None:
        """Tell when the first and the last hour of the rows begin."""
        hours = [segment.hour for segment in SegmentFolder(self.folder / SEGMENTS).segments()]
        return (min(hours), max(hours)) if hours else None

    @property
    def is_complete(self) -> bool:
        """Whether the rows are to be in the store, even if this process ends now."""
        return (self.folder / COMPLETE).exists()

    def complete(self) -> None:
        """Say that no row is missing."""
        descriptor = os.open(self.folder / COMPLETE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fsync(descriptor)
        os.close(descriptor)

    def publish(self, target: SegmentFolder) -> None:
        """
        Put the segments in the store.

        Raises:
            StorageError: If one cannot be written; none is left there then.
        """
        staged = SegmentFolder(self.folder / SEGMENTS)
        done: list[str] = []
        try:
            for segment in staged.segments():
                done.append(segment.path)
                target.put(segment.path, staged.read(segment.path))
        except (OSError, pa.ArrowException) as error:
            target.delete(done)
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            raise StorageError(f"the traffic store cannot be written: {reason}") from error

    def discard(self) -> None:
        """Delete the folder, whatever is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
