"""Reading a store on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hauberk import _native
from hauberk.store_learning.engine import LearnerPlan, Operation
from hauberk.traffic.replay import PathTotal, lines, path_totals
from hauberk.traffic.segments import Segment, SegmentFolder


class LocalEngine:
    """
    Reads a store's segments one after another.

    Args:
        store: A folder, or a URL that `pyarrow` knows.

        hosts: Only these, with or without their port; none means all.

    Raises:
        ConfigurationError: If the URL is none.

        OSError: If the store cannot be listed.
    """

    def __init__(self, store: str | Path, hosts: Sequence[str] = ()) -> None:
        self.folder = SegmentFolder(store)
        self.hosts = list(hosts)
        self.segments: list[Segment] = self.folder.segments()
        self.bytes = sum(segment.bytes for segment in self.segments)
        self._done = (0, 0)

    def path_totals(self) -> Iterator[PathTotal]:
        """Count the successful requests of each path."""
        self._done = (0, 0)
        return path_totals(self.folder, self._passed(), self.hosts)

    def learned(self, operations: Sequence[Operation], plan: LearnerPlan) -> _native.Learner:
        """Learn from all rows."""
        self._done = (0, 0)
        learner = plan.learner(operations)
        for _, batch in lines(self.folder, self._passed(), self.hosts):
            learner.feed(batch)
            self._done = (self._done[0], self._done[1] + batch.count(b"\n") + 1)
        return learner

    def progress(self) -> tuple[int, int]:
        """Tell how many bytes of segments and how many rows were read so far in this pass."""
        return self._done

    def _passed(self) -> Iterator[str]:
        for segment in self.segments:
            yield segment.path
            self._done = (self._done[0] + segment.bytes, self._done[1])
