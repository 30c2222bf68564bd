"""What commands that read captures have in common: their arguments, progress on long work, and what could not be read."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from hauberk.cli import files
from hauberk.cli.failure import Failure
from hauberk.cli.output import Output, printable

# Long enough that a short file is done before anything is drawn.
FIRST_LOOK_SECONDS = 0.5
LOOK_SECONDS = 0.1

Captures = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="HAR, transactions as JSON lines, access logs, logs of JSON lines; plain, gzip or zstd. '-' is standard input.",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="ndjson, har, access-log or json-log. Default: told from the content.", show_default=False),
]
DefaultHost = Annotated[str | None, typer.Option(help="The host of transactions whose log does not tell it.", show_default=False)]


class Reader(Protocol):
    """Something that takes captures in, one after the other: `hauberk._native.Survey`, `hauberk._native.Scorer`."""

    def read(self, file: str, format: str | None, default_host: str | None) -> str:  # noqa: A002 - as the extension has it
        """Read a capture to its end; gives a JSON report."""

    def progress(self) -> tuple[int, int]:
        """Tell bytes and transactions read so far."""


def read_all(reader: Reader, captures: Sequence[Path], format_: str | None, default_host: str | None) -> list[dict[str, Any]]:
    """
    Read captures, with progress on a terminal, and tell on stderr what could not be read.

    Returns:
        A report for each capture: `rows`, `transactions`, `skipped`, `bad`, `first_bad`, `format`, `cut_short`.

    Raises:
        Failure: If one cannot be opened or is in no known format.
    """
    for capture in captures:
        if capture != files.STANDARD and not capture.is_file():
            raise Failure(f"{capture}: {'is a folder; name the files in it' if capture.is_dir() else 'there is no such file'}")
    reports: list[dict[str, Any]] = []
    total = sum(capture.stat().st_size for capture in captures if capture != files.STANDARD)
    work = _Work(reader, captures, format_, default_host, reports)
    work.start()
    # The work is done in a thread of its own, so that Ctrl-C is heard.
    work.join(FIRST_LOOK_SECONDS)
    if work.is_alive() and sys.stderr.isatty():
        _watch(work, reader, total)
    while work.is_alive():
        work.join(1.0)
    if work.error is not None:
        raise work.error
    for capture, report in zip(captures, reports, strict=True):
        _tell_problems(capture, report)
    return reports


class _Work(threading.Thread):
    def __init__(
        self, reader: Reader, captures: Sequence[Path], format_: str | None, default_host: str | None, reports: list[dict[str, Any]]
    ) -> None:
        super().__init__(name="captures", daemon=True)
        self.reader, self.captures, self.format, self.default_host, self.reports = reader, captures, format_, default_host, reports
        self.error: Exception | None = None

    def run(self) -> None:
        """Read all of them; what fails is raised by whoever waits."""
        for capture in self.captures:
            try:
                self.reports.append(json.loads(self.reader.read(str(capture), self.format, self.default_host)))
            except OSError as error:
                self.error = Failure(f"{capture}: {error.strerror or error}", "--format names the format, if it is not recognised")
                return
            except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
                self.error = error
                return


def _watch(work: threading.Thread, reader: Reader, total: int) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("reading", total=total or None)
        while work.is_alive():
            done, transactions = reader.progress()
            shown.update(task, completed=done, description=f"reading ({transactions:,} transactions)")
            work.join(LOOK_SECONDS)


def _tell_problems(capture: Path, report: dict[str, Any]) -> None:
    out = Output()
    if report["bad"]:
        out.say(f"{capture}: {report['bad']:,} of {report['rows']:,} rows could not be read and were left out:")
        for place in report["first_bad"]:
            out.say(f"  {printable(place)}")
        if report["bad"] > len(report["first_bad"]):
            out.say(f"  … and {report['bad'] - len(report['first_bad']):,} more")
    if report["cut_short"]:
        out.say(f"{capture}: {report['cut_short']}")
