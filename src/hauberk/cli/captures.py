"""What commands that read captures whole have in common: progress on long work, and what could not be read."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from hauberk.cli.failure import Failure
from hauberk.cli.output import Output
from hauberk.cli.traffic import summarise
from hauberk.traffic import files

# Long enough that a short file is done before anything is drawn.
FIRST_LOOK_SECONDS = 0.5
LOOK_SECONDS = 0.1


class WatchedTaker(files.Taker, Protocol):
    """A taker that tells how far it is."""

    def progress(self) -> tuple[int, int]:
        """Tell bytes and transactions read so far."""


def take(
    taker: WatchedTaker, captures: Sequence[Path], options: files.ReadOptions, *, doing: str = "reading", again: bool = False
) -> list[files.FileReport]:
    """
    Have captures taken in, with progress on a terminal; tell on stderr what was read, and what could not be.

    Args:
        taker: Who takes them.

        captures: Files; `-` is standard input.

        options: What the files do not say themselves.

        doing: What is done, beside the progress.

        again: They were taken before, by another taker, and what was read is told already.

    Raises:
        Failure: If one cannot be opened or is in no known format, or the options do not fit each other.
    """
    for capture in captures:
        if capture.is_dir():
            raise Failure(f"{capture}: is a folder; name the files in it")
    total = sum(capture.stat().st_size for capture in captures if capture.is_file())
    reports: list[files.FileReport] = []
    try:
        watched(lambda: files.feed(taker, captures, options, reports), taker.progress, total, doing)
    except ValueError as error:
        raise Failure(str(error), status=2) from None
    if not again:
        summarise(Output(), reports)
    return reports


def watched(work: Callable[[], None], progress: Callable[[], tuple[int, int]], total: int, doing: str) -> None:
    """
    Do long work in a thread of its own, so that Ctrl-C is heard, and show on a terminal how far it is.

    Args:
        work: What is to be done; what it raises is raised here.

        progress: Tells bytes and transactions done so far.

        total: Bytes to be done; 0 if nobody knows.

        doing: What is done.
    """
    thread = _Work(work)
    thread.start()
    thread.join(FIRST_LOOK_SECONDS)
    if thread.is_alive() and sys.stderr.isatty():
        _watch(thread, progress, total, doing)
    while thread.is_alive():
        thread.join(LOOK_SECONDS)
    if thread.error is not None:
        raise thread.error


@contextmanager
def spooled(captures: Sequence[Path]) -> Generator[list[Path], None, None]:
    """
    Give files that can be read more than once: standard input is copied to one that is gone afterwards.

    Raises:
        Failure: If it cannot be copied.
    """
    if files.STANDARD_INPUT not in captures:
        yield list(captures)
        return
    with NamedTemporaryFile(prefix="hauberk-standard-input-") as copy:
        try:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.flush()
        except OSError as error:
            raise Failure(f"standard input cannot be copied to {copy.name}: {error.strerror}", "name the file instead") from None
        yield [Path(copy.name) if capture == files.STANDARD_INPUT else capture for capture in captures]


class _Work(threading.Thread):
    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(name="captures", daemon=True)
        self.work = work
        self.error: Exception | None = None

    def run(self) -> None:
        """Do it; what fails is raised by whoever waits."""
        try:
            self.work()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self.error = error


def _watch(work: threading.Thread, progress: Callable[[], tuple[int, int]], total: int, doing: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(doing, total=total or None)
        while work.is_alive():
            done, transactions = progress()
            shown.update(task, completed=done, description=f"{doing} ({transactions:,} transactions)")
            work.join(LOOK_SECONDS)
