"""
Parquet segments: what a row has, how files are named, and writing, listing and deleting them on any file system of pyarrow.

    host=api.example.com/hour=2026-11-22T17/<writer>-<milliseconds>-<number>.parquet

The folder only tells where to look: what counts is the row's own `host` and `time`. A segment appears under its name once it is whole.
"""

from __future__ import annotations

import errno
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs, json

from hauberk.errors import ConfigurationError

SCHEMA = pa.schema(
    [
        ("host", pa.string()),
        ("method", pa.string()),
        ("url", pa.string()),
        ("path", pa.string()),  # of the URL, as sent, without the query
        ("http_version", pa.string()),
        ("request_headers", pa.list_(pa.list_(pa.string()))),  # pairs
        ("request_body", pa.string()),
        ("request_body_omitted", pa.int64()),
        ("status", pa.int16()),
        ("response_headers", pa.list_(pa.list_(pa.string()))),
        ("response_body_size", pa.int64()),
        ("response_content_type", pa.string()),
        ("response_body", pa.string()),
        ("resource_type", pa.string()),
        ("time", pa.timestamp("ms", "UTC")),
        ("client", pa.string()),
        ("duration_us", pa.int64()),
        ("operation_id", pa.string()),
        ("request_id", pa.string()),
        ("action", pa.string()),
        ("session", pa.string()),
        ("certificate", pa.string()),
        ("score", pa.float64()),
        ("weight", pa.float64()),
    ]
)
"""A row: the members of a transaction, and its path. Segments of before lack the newer ones, which read as null."""

# As lines of JSON have it.
_WRITTEN = pa.schema([pa.field("time", pa.string()) if field.name == "time" else field for field in SCHEMA if field.name != "path"])
_NO_OBJECT = re.compile(rb"\n[^{\n]")

SUFFIX = ".parquet"
REPLACES_SUFFIX = ".replaces"
HOUR_FORMAT = "%Y-%m-%dT%H"
# Where hosts go that are too many for a folder each, or too long to be one.
OTHER_HOSTS = "*"
MAX_FOLDER_CHARACTERS = 200
LEFT_OVER_AFTER = timedelta(hours=1)

# They put a file whole under its name, and moving one means copying it.
OBJECT_STORES = frozenset({"s3", "gcs", "abfs"})
_SEGMENT = re.compile(r"host=([^/]+)/hour=(\d{4}-\d\d-\d\dT\d\d)/([^/]+)$")


@dataclass(frozen=True)
class Segment:
    """A file of the store."""

    path: str
    """From the root of the store."""

    host: str
    """As the folder has it, percent-encoded."""

    hour: datetime
    """When the hour of its rows began, in UTC."""

    bytes: int

    written_at: datetime
    """As the file system tells it; the hour where it does not."""

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """Its folder, from the root of the store."""
        return self.path.rpartition("/")[0]


def host_folder(host: str) -> str:
    """Give what stands for a host in paths: no separators, not too long."""
    encoded = quote(host, safe="-_.")
    return encoded if 0 < len(encoded) <= MAX_FOLDER_CHARACTERS else quote(OTHER_HOSTS)


class SegmentFolder:
    """
    The files of a store.

    Args:
        store: A folder, a URL that `pyarrow` knows (`file:///…`, `s3://bucket/folder?region=…`), or a file system of pyarrow.

    Raises:
        ConfigurationError: If the URL is none.
    """

    def __init__(self, store: str | Path | fs.FileSystem) -> None:
        if isinstance(store, fs.FileSystem):
            self.fs: fs.FileSystem = store
        else:
            try:
                if "://" in str(store):
                    found, root = fs.FileSystem.from_uri(str(store))
                else:
                    found, root = fs.LocalFileSystem(), str(Path(store).absolute())
            except (pa.ArrowException, OSError, ValueError) as error:
                # The URL may hold credentials.
                raise ConfigurationError(f"traffic.store: it is no folder and no URL that pyarrow knows: {type(error).__name__}") from None
            self.fs = fs.SubTreeFileSystem(root, found) if root else found
        self._moves = _base(self.fs).type_name not in OBJECT_STORES

    def write(self, folder: str, name: str, table: pa.Table) -> int:
        """
        Write a segment whole; returns its size in bytes.

        Raises:
            OSError: If it cannot be written. Nothing is left under its name then.
        """
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", row_group_size=64 * 1024)
        data = sink.getvalue()
        self.put(f"{folder}/{name}", data)
        return int(data.size)

    def put(self, path: str, data: pa.Buffer | bytes) -> None:
        """Write a file so that it is there as a whole or not at all."""
        if not self._moves:
            with self.fs.open_output_stream(path) as stream:
                stream.write(data)
            return
        folder = path.rpartition("/")[0]
        made = f"{folder}/.{uuid.uuid4().hex}"
        self.fs.create_dir(folder, recursive=True)
        try:
            with self.fs.open_output_stream(made) as stream:
                stream.write(data)
            self.fs.move(made, path)
        except OSError:
            self.delete([made])
            raise

    def read(self, path: str) -> bytes:
        """Read a small file."""
        with self.fs.open_input_stream(path) as stream:
            return bytes(stream.read())

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files; others may have done so already."""
        for path in paths:
            try:
                self.fs.delete_file(path)
            except OSError:
                continue

    def tidy(self, folder: str) -> None:
        """Delete a folder if nothing is in it."""
        try:
            if self._moves and not self.fs.get_file_info(fs.FileSelector(folder)):
                self.fs.delete_dir(folder)
        except OSError:
            return

    def left_over(self, now: datetime) -> list[str]:
        """List files that a writer left behind when it was killed."""
        hidden = (info for info in self._files() if info.base_name.startswith("."))
        return [info.path for info in hidden if info.mtime is not None and now - info.mtime > LEFT_OVER_AFTER]

    def segments(self, hosts: Sequence[str] | None = None, since: datetime | None = None, until: datetime | None = None) -> list[Segment]:
        """
        List segments that may have rows of these hosts and this time; those that a merged one has replaced are left out.

        Raises:
            OSError: If the store cannot be listed.
        """
        found: dict[str, Segment] = {}
        replaced: dict[str, str] = {}
        folders = None if hosts is None else {host_folder(host) for host in hosts} | {quote(OTHER_HOSTS)}
        for info in self._files(folders):
            match = _SEGMENT.search(info.path)
            if match is None or match[3].startswith("."):
                continue
            hour = datetime.strptime(match[2], HOUR_FORMAT).replace(tzinfo=UTC)
            if (since is not None and hour + timedelta(hours=1) <= since) or (until is not None and hour >= until):
                continue
            if match[3].endswith(SUFFIX):
                found[info.path] = Segment(info.path, match[1], hour, info.size, max(hour, info.mtime or hour))
            elif match[3].endswith(REPLACES_SUFFIX):
                replaced[info.path] = info.path.removesuffix(REPLACES_SUFFIX) + SUFFIX
        for note, merged in replaced.items():
            if merged in found:
                for path in self.replaced_by(note):
                    found.pop(path, None)
        return sorted(found.values(), key=lambda segment: (segment.hour, segment.path))

    def replaced_by(self, note: str) -> list[str]:
        """Read which segments a merged one replaces; none if the note is gone: then they are, too."""
        try:
            folder = note.rpartition("/")[0]
            return [f"{folder}/{name}" for name in self.read(note).decode().splitlines()]
        except OSError:
            return []

    def notes(self, writer: str) -> list[tuple[str, datetime | None, bool]]:
        """List a writer's notes about merged segments, each with when it was written and whether the merged segment is there."""
        files = {info.path: info for info in self._files()}
        notes = (info for info in files.values() if info.path.endswith(REPLACES_SUFFIX) and info.base_name.startswith(f"{writer}-"))
        return [(note.path, note.mtime, note.path.removesuffix(REPLACES_SUFFIX) + SUFFIX in files) for note in notes]

    def _files(self, folders: Iterable[str] | None = None) -> Iterator[fs.FileInfo]:
        roots = [""] if folders is None else [f"host={folder}" for folder in sorted(folders)]
        is_empty = True
        for root in roots:
            selector = fs.FileSelector(root, recursive=True, allow_not_found=True)
            for info in self.fs.get_file_info(selector):
                is_empty = False
                if info.type == fs.FileType.File:
                    yield info
        if is_empty and _is_file(self.fs):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def table_of(lines: bytes) -> pa.Table:
    """
    Make a table of transactions, each a line of JSON. What says nothing of its host has null for one.

    Raises:
        pa.ArrowException, ValueError, OverflowError: If a line is no JSON object, or a member has another type than it should.
    """
    if not lines.startswith(b"{") or _NO_OBJECT.search(lines):
        raise ValueError("a line is no object")  # Arrow does not survive a line `null`
    lines.decode()  # which Arrow does not look at
    told = json.read_json(
        pa.BufferReader(lines),
        json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        json.ParseOptions(explicit_schema=_WRITTEN, unexpected_field_behavior="ignore"),
    )
    columns = {name: told[name] for name in _WRITTEN.names}
    columns["path"] = pa.array([path_of(url or "") for url in told["url"].to_pylist()], pa.string())
    columns["time"] = pa.array([time_of(time) for time in told["time"].to_pylist()], SCHEMA.field("time").type)
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def by_host_and_hour(tables: Iterable[pa.Table], untimed: datetime) -> Iterator[tuple[str, datetime, pa.Table]]:
    """
    Take tables apart.

    Args:
        tables: Of transactions.

        untimed: The time of those that do not tell theirs.

    Returns:
        A host, when an hour began (UTC), and the transactions, in the order they came in.
    """
    table = pa.concat_tables(tables)
    # Without its zone: to round in one, Arrow asks for the system's list of zones, which need not be there.
    times = pc.coalesce(table["time"], pa.scalar(untimed, SCHEMA.field("time").type)).cast(pa.timestamp("ms"))
    table = table.append_column("hour", pc.floor_temporal(times, unit="hour"))
    order = [("host", "ascending"), ("hour", "ascending")]
    table = table.take(pc.sort_indices(table, order))  # a stable order
    begin = 0
    # Sorted as the rows are: groups do not come in the order in which their first rows do.
    for group in table.group_by(["host", "hour"], use_threads=False).aggregate([([], "count_all")]).sort_by(order).to_pylist():
        yield group["host"], group["hour"].replace(tzinfo=UTC), table.slice(begin, group["count_all"]).drop_columns("hour")
        begin += group["count_all"]


def time_of(text: str | None) -> datetime | None:
    """Read when a transaction began; `None` if it does not tell or that is no time. Without a zone it counts as UTC."""
    try:
        time = datetime.fromisoformat(text or "")
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def path_of(url: str) -> str:
    """Give the path of a URL or request target, as sent, without query and fragment."""
    rest = re.split(r"[?#]", url, maxsplit=1)[0]
    if "://" in rest:
        rest = "/" + rest.partition("://")[2].partition("/")[2]
    return rest or "/"


def _is_file(filesystem: fs.FileSystem) -> bool:
    """Tell whether a file is where a folder should be."""
    if not isinstance(filesystem, fs.SubTreeFileSystem):
        return False
    return bool(filesystem.base_fs.get_file_info(filesystem.base_path.rstrip("/")).type == fs.FileType.File)


def _base(filesystem: fs.FileSystem) -> fs.FileSystem:
    while isinstance(filesystem, fs.SubTreeFileSystem):
        filesystem = filesystem.base_fs
    return filesystem
