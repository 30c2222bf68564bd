"""A large file taken from a request, straight to a file of ours: the body as it is, or the field `file` of a form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import BinaryIO

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from hauberk.errors import InvalidRequest, StorageError, TooLarge

MAX_FIELDS = 20
MAX_FIELD_BYTES = 4096
MAX_HEADER_BYTES = 8192
# Written to the disk at once.
CHUNK_BYTES = 2**20


@dataclass
class ReceivedFile:
    """What came with the file."""

    name: str | None = None
    """The file's name as the sender has it."""

    bytes: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    """The form's other fields; of those with the same name the last one."""


async def receive_file(request: Request, to: BinaryIO, max_bytes: int, setting: str) -> ReceivedFile:
    """
    Write a request's file to a file.

    Args:
        request: Its body is not read yet.

        to: Open for writing.

        max_bytes: How large it may be.

        setting: Which setting says so.

    Raises:
        InvalidRequest: If the form cannot be read, or holds no file.
        TooLarge: If the file is too large.
        StorageError: If it cannot be written.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    parser = _FormParser(parameters.get(b"boundary", b"")) if kind == b"multipart/form-data" else None
    received = parser.received if parser is not None else ReceivedFile()
    async for chunk in _large(request.stream()):
        part = parser.file_part(chunk) if parser is not None else chunk
        received.bytes += len(part)
        if received.bytes > max_bytes:
            raise TooLarge(f"the capture is larger than {max_bytes} bytes; the setting is {setting}")
        try:
            await run_in_threadpool(to.write, part)
        except OSError as error:
            raise StorageError(f"the capture cannot be kept: {error.strerror}") from error
    if parser is not None:
        parser.finish()
    return received


async def _large(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        if len(gathered) >= CHUNK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


class _FormParser:
    """Reads a form piece by piece: `file` is given on, other fields are kept."""

    def __init__(self, boundary: bytes) -> None:
        if not boundary:
            raise InvalidRequest("the form has no boundary: see RFC 7578, or send the capture as the body itself")
        self.received = ReceivedFile()
        self._file = bytearray()
        self._has_file = self._is_whole = False
        self._header = (bytearray(), bytearray())
        self._part: bytes | None = None
        self._is_file = False
        self._value = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_header_field": lambda data, start, end: self._on_header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._on_header(1, data[start:end]),
                "on_header_end": self._on_header_end,
                "on_end": self._on_end,
            },
        )

    def file_part(self, chunk: bytes) -> bytes:
        """Read on, and give what there is of the file."""
        self._file.clear()
        try:
            self._parser.write(chunk)
        except MultipartParseError:
            raise InvalidRequest("the form cannot be read: it is not what RFC 7578 says of multipart/form-data") from None
        return bytes(self._file)

    def finish(self) -> None:
        """Say that nothing more comes."""
        if not self._is_whole:
            raise InvalidRequest("the form ends before its end")
        if not self._has_file:
            raise InvalidRequest("the form has no field 'file' with a capture")

    def _on_end(self) -> None:
        self._is_whole = True

    def _on_part_begin(self) -> None:
        self._part, self._is_file = None, False
        self._value.clear()

    def _on_header(self, which: int, data: bytes) -> None:
        self._header[which].extend(data)
        if len(self._header[which]) > MAX_HEADER_BYTES:
            raise InvalidRequest("the form has a header that is too long")

    def _on_header_end(self) -> None:
        name, value = (bytes(text) for text in self._header)
        for text in self._header:
            text.clear()
        if name.lower() != b"content-disposition":
            return
        _, parameters = parse_options_header(value)
        self._part = parameters.get(b"name")
        if self._part == b"file":
            if self._has_file:
                raise InvalidRequest("the form has more than one field 'file': send one capture at a time")
            self._has_file = self._is_file = True
            self.received.name = parameters.get(b"filename", b"").decode(errors="replace") or None

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._file if self._is_file else self._value
        part += data[start:end]
        if len(self._value) > MAX_FIELD_BYTES:
            raise InvalidRequest(f"the form has a field of more than {MAX_FIELD_BYTES} bytes")

    def _on_part_end(self) -> None:
        if self._part is None or self._is_file:
            return
        if len(self.received.fields) >= MAX_FIELDS:
            raise InvalidRequest(f"the form has more than {MAX_FIELDS} fields")
        self.received.fields[self._part.decode(errors="replace")] = self._value.decode(errors="replace")
