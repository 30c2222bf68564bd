"""
Reads captures from files: `read` gives batches of records, masked if a key is given.

The formats themselves are read in Rust (`crates/traffic/src/read`), but for the flow files of mitmproxy, which mitmproxy reads.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hauberk import _native
from hauberk.errors import InvalidCapture
from hauberk.traffic import mitmproxy_flows

STANDARD_INPUT = Path("-")
MITMPROXY = "mitmproxy"
# Whoever takes a capture in may write what it makes of it. These come from writing, never from reading.
WRITING_FAILED = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORMATS = ("ndjson", "har", "access-log", "json-log", MITMPROXY)


@dataclass(frozen=True)
class ReadOptions:
    """What captures do not say themselves."""

    format: str | None = None
    """One of `FORMATS`; `None`: told from the content."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """For `json-log`: which member says what, beyond those of known servers, e.g. `{"method": "req.verb"}`."""

    default_host: str | None = None
    """The host of transactions whose log does not tell it; default `unknown.invalid`."""

    masking_key: bytes | None = None
    """Secrets become hashes under this key; `None`: nothing is masked."""

    session_identifiers: Sequence[str] | None = None
    """For what is to be kept: where requests carry who is calling, e.g. `header:authorization`. With it, the session and the score are
    told; `None`: neither is."""

    max_row_bytes: int = 16 * 2**20
    """A longer line, or entry of a HAR, is passed over and counted."""


@dataclass(frozen=True)
class BadRow:
    """A row that could not be read. It tells the place, and nothing that stands there."""

    row: int
    """Its number in its file, from 0."""

    line: int
    """From 1; in a HAR the line where the entry begins."""

    column: int
    """Where reading stopped, in bytes from 1; 0 at the end."""

    offset: int
    """Where the row begins, in (unpacked) bytes from 0."""

    problem: str
    """What is wrong, in a few words."""

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"row {self.row} (line {self.line}, byte {self.offset}{column}): {self.problem}"


@dataclass(frozen=True)
class FileReport:
    """What reading a file came to; `rows` is the sum of `transactions`, `skipped` and `bad`."""

    file: Path
    format: str
    rows: int
    transactions: int

    skipped: int
    """Rows that rightly hold no HTTP request: blank lines, comments, `data:` URLs, connections closed before a request."""

    bad: int
    first_bad: tuple[BadRow, ...]

    cut_short: str | None
    """Why the file ends before its end, if it does."""

    stopped: bool
    """Whether reading was stopped before the end of the file."""


@dataclass(frozen=True)
class Batch:
    """Transactions of one file, in its order."""

    file: Path

    rows: Sequence[int]
    """Their numbers, counted on over all files given."""

    lines: bytes
    """A record a line, in JSON."""

    read_bytes: int = 0
    """How far the file has been read, in bytes as it lies there; 0 where that cannot be told."""

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Give each row with its line."""
        return zip(self.rows, self.lines.splitlines(), strict=True)


def read(
    files: Sequence[Path], options: ReadOptions | None = None, reports: list[FileReport] | None = None
) -> Generator[Batch, None, None]:
    """
    Read files one after another.

    Rows are numbered from 0 over all files in their order, as if they were one file: in formats of lines each line is a row, whatever
    stands in it, in a HAR each entry.

    Args:
        files: Captures, plain or packed by gzip or zstd; `-` is standard input.

        options: What the files do not say themselves; it holds for all of them.

        reports: A report is added for each file when it is read; also for the one where the caller stops.

    Raises:
        InvalidCapture: If a file cannot be opened or read, or its format cannot be told.

        ValueError: If the options do not fit each other.
    """
    options = options or ReadOptions()
    first_row = 0
    for file in files:
        report = yield from _read_file(file, options, first_row, reports if reports is not None else [])
        first_row += report.rows


class Taker(Protocol):
    """Something in Rust that takes whole captures in: `_native.Survey`, `_native.Scorer`."""

    def read(
        self,
        source: Path | str | int | bytes,
        *,
        format_name: str | None = None,
        fields: dict[str, str] | None = None,
        default_host: str | None = None,
        max_row_bytes: int | None = None,
    ) -> _native.CaptureReport:
        """Read a capture to its end."""


def feed(taker: Taker, files: Sequence[Path], options: ReadOptions | None = None, reports: list[FileReport] | None = None) -> None:
    """
    Have something take in files one after another; their transactions do not pass through Python.

    Args:
        taker: Who takes them.

        files: As for `read`.

        options: As for `read`; nothing is masked, since nothing is kept.

        reports: A report is added for each file when it is read.

    Raises:
        InvalidCapture: If a file cannot be opened or read, or its format cannot be told.

        OSError: If what takes them writes and cannot; one of `WRITING_FAILED`.

        ValueError: If the options do not fit each other.
    """
    options = options or ReadOptions()
    for file in files:
        report = _feed_flows(taker, file) if options.format == MITMPROXY else _feed_file(taker, file, options)
        if reports is not None:
            reports.append(report)


def _feed_file(taker: Taker, file: Path, options: ReadOptions) -> FileReport:
    try:
        found = taker.read(
            sys.stdin.fileno() if file == STANDARD_INPUT else file,
            format_name=options.format,
            fields=dict(options.fields),
            default_host=options.default_host,
            max_row_bytes=options.max_row_bytes,
        )
    except _native.CaptureError as error:
        if error.is_mitmproxy_flows and file != STANDARD_INPUT:
            return _feed_flows(taker, file)
        raise _unreadable(file, error) from None
    except OSError as error:
        if error.errno in WRITING_FAILED:
            raise
        raise InvalidCapture(f"{file}: cannot be read: {error.strerror or error}") from None
    return _report(file, found)


def _feed_flows(taker: Taker, file: Path) -> FileReport:
    rows = skipped = 0
    cut_short: str | None = None
    for lines, problem in mitmproxy_flows.read(file):
        cut_short = problem
        found = taker.read(b"\n".join(lines), format_name="ndjson", max_row_bytes=2**40)
        rows += found["rows"]
        skipped += found["skipped"]
    return FileReport(file, MITMPROXY, rows, rows - skipped, skipped, 0, (), cut_short, stopped=False)


def _unreadable(file: Path, error: _native.CaptureError) -> InvalidCapture:
    hint = "; give it by its name" if error.is_mitmproxy_flows else "; '--format' tells it if it is one of the known formats all the same"
    return InvalidCapture(f"{file}: {error}{hint}")


def _read_file(file: Path, options: ReadOptions, first_row: int, reports: list[FileReport]) -> Generator[Batch, None, FileReport]:
    if options.format == MITMPROXY:
        return (yield from _read_flows(file, options, first_row, reports))
    capture: _native.Capture | None = None
    descriptor: int | None = None
    try:
        # Of a descriptor of ours it can be asked how far the file was read.
        descriptor = sys.stdin.fileno() if file == STANDARD_INPUT else os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        capture = _native.Capture(
            descriptor,
            format_name=options.format,
            fields=dict(options.fields),
            default_host=options.default_host,
            masking_key=options.masking_key,
            session_identifiers=_listed(options.session_identifiers),
            max_row_bytes=options.max_row_bytes,
        )
        for rows, lines in capture:
            yield Batch(file, [first_row + row for row in rows], lines, _position(descriptor))
    except _native.CaptureError as error:
        if error.is_mitmproxy_flows and file != STANDARD_INPUT:
            return (yield from _read_flows(file, options, first_row, reports))
        raise _unreadable(file, error) from None
    except OSError as error:
        raise InvalidCapture(f"{file}: cannot be read: {error.strerror or error}") from None
    finally:
        if capture is not None:
            capture.close()
            if (found := capture.report()) is not None:
                reports.append(_report(file, found))
        if descriptor is not None and file != STANDARD_INPUT:
            os.close(descriptor)
    return reports[-1]


def _position(descriptor: int) -> int:
    try:
        return os.lseek(descriptor, 0, os.SEEK_CUR)
    except OSError:  # a pipe
        return 0


def _read_flows(file: Path, options: ReadOptions, first_row: int, reports: list[FileReport]) -> Generator[Batch, None, FileReport]:
    """Masking is Rust's, so the records of flows go there once more as JSON lines."""
    rows = skipped = 0
    cut_short: str | None = None
    is_whole = False
    try:
        for lines, problem in mitmproxy_flows.read(file):
            cut_short = problem
            numbers = [row for row, line in enumerate(lines) if line]
            skipped += len(lines) - len(numbers)
            capture = _native.Capture(
                b"\n".join(lines),
                format_name="ndjson",
                masking_key=options.masking_key,
                session_identifiers=_listed(options.session_identifiers),
                max_row_bytes=2**40,
                batch_bytes=2**40,
            )
            for found, records in capture:
                yield Batch(file, [first_row + rows + row for row in found], records)
            rows += len(lines)
        is_whole = True
    finally:
        reports.append(FileReport(file, MITMPROXY, rows, rows - skipped, skipped, 0, (), cut_short, not is_whole))
    return reports[-1]


def _report(file: Path, found: _native.CaptureReport) -> FileReport:
    return FileReport(
        file=file,
        format=found["format"],
        rows=found["rows"],
        transactions=found["transactions"],
        skipped=found["skipped"],
        bad=found["bad"],
        first_bad=tuple(BadRow(**bad) for bad in found["first_bad"]),
        cut_short=found["cut_short"],
        stopped=found["stopped"],
    )


def _listed(texts: Sequence[str] | None) -> list[str] | None:
    return None if texts is None else list(texts)
