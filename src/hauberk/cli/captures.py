"""What commands that read captures whole have in common: progress on long work, and what could not be read."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
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


def take(taker: WatchedTaker, captures: Sequence[Path], options: files.ReadOptions) -> list[files.FileReport]:
    """
    Have captures taken in, with progress on a terminal; tell on stderr what was read, and what could not be.

    Raises:
        Failure: If one cannot be opened or is in no known format, or the options do not fit each other.
    """
    for capture in captures:
        if capture.is_dir():
            raise Failure(f"{capture}: is a folder; name the files in it")
    total = sum(capture.stat().st_size for capture in captures if capture.is_file())
    work = _Work(taker, captures, options)
    work.start()
    # The work is done in a thread of its own, so that Ctrl-C is heard.
    work.join(FIRST_LOOK_SECONDS)
    if work.is_alive() and sys.stderr.isatty():
        _watch(work, taker, total)
    while work.is_alive():
        work.join(LOOK_SECONDS)
    if isinstance(work.error, ValueError):
        raise Failure(str(work.error), status=2) from None
    if work.error is not None:
        raise work.error
    summarise(Output(), work.reports)
    return work.reports


class _Work(threading.Thread):
    def __init__(self, taker: files.Taker, captures: Sequence[Path], options: files.ReadOptions) -> None:
        super().__init__(name="captures", daemon=True)
        self.taker, self.captures, self.options = taker, captures, options
        self.reports: list[files.FileReport] = []
        self.error: Exception | None = None

    def run(self) -> None:
        """Read all of them; what fails is raised by whoever waits."""
        try:
            files.feed(self.taker, self.captures, self.options, self.reports)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self.error = error


def _watch(work: threading.Thread, taker: WatchedTaker, total: int) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("reading", total=total or None)
        while work.is_alive():
            done, transactions = taker.progress()
            shown.update(task, completed=done, description=f"reading ({transactions:,} transactions)")
            work.join(LOOK_SECONDS)
