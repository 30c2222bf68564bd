"""
Forms as browsers send them, read within limits.

A small one is held whole. Of one with a capture in it, however large, only the first field is read here, the token that shows whose form
it is; the rest goes on as it comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect
from starlette.types import Message

MAX_FILES = 10
# Boundary, header and token come to some hundred bytes.
MAX_FIRST_FIELD_BYTES = 4096


class FormTooLarge(Exception):
    """
    More was sent than a form may hold.

    Args:
        max_bytes: How much that is.
    """

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self.max_bytes = max_bytes


async def read_form(request: Request, max_bytes: int, *, max_fields: int, max_field_bytes: int) -> FormData:
    """
    Read a form; files in it lie on the disk until it is closed.

    Raises:
        FormTooLarge: If it is larger than `max_bytes`.
        HTTPException: If it cannot be read, or one of its fields is too large.
    """
    chunks = chunks_of(request, max_bytes)

    async def receive() -> Message:
        chunk = await anext(chunks, b"")
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    limited = Request(request.scope, receive)
    return await limited.form(max_files=MAX_FILES, max_fields=max_fields, max_part_size=max_field_bytes)


def chunks_of(request: Request, max_bytes: int) -> AsyncIterator[bytes]:
    """
    Give a form's body piece by piece.

    Raises:
        FormTooLarge: If it is larger than `max_bytes`: at once if it says so itself, else as soon as more has come.
    """
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > max_bytes:
        raise FormTooLarge(max_bytes)
    return _counted(request.stream(), max_bytes)


async def _counted(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    read = 0
    async for chunk in chunks:
        read += len(chunk)
        if read > max_bytes:
            raise FormTooLarge(max_bytes)
        yield chunk


async def first_field(request: Request, name: str) -> tuple[str | None, AsyncIterator[bytes]]:
    """
    Read the first field of a form that is sent in parts (multipart/form-data), and no more of the body than came with it.

    Returns:
        Its value, `None` if the body does not begin with a small field of this name; and the whole body, from its first byte.
    """
    chunks = request.stream()
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    field = _FirstField(name.encode(), parameters.get(b"boundary", b"") if kind == b"multipart/form-data" else b"")
    begun = bytearray()
    while field.is_open and (chunk := await anext(chunks, b"")):
        begun += chunk
        field.read(chunk)
    return field.found, _joined(bytes(begun), chunks)


async def _joined(begun: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begun
    try:
        async for chunk in rest:
            yield chunk
    except ClientDisconnect:  # the sender has thought better of it: who reads on finds a form without its end
        return


class _FirstField:
    def __init__(self, name: bytes, boundary: bytes) -> None:
        self.is_open = bool(boundary)
        self.found: str | None = None
        self._name = name
        self._left = MAX_FIRST_FIELD_BYTES
        self._header = (bytearray(), bytearray())
        self._value = bytearray()
        self._is_wanted = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": lambda data, start, end: self._value.extend(data[start:end]),
                "on_part_end": self._on_part_end,
            },
        )

    def read(self, chunk: bytes) -> None:
        """Read on, until the field has ended, or cannot be the one that is wanted."""
        try:
            self._parser.write(chunk[: self._left])
        except MultipartParseError:  # or what follows the field is malformed, which is not of interest here
            self.is_open = False
        self._left -= len(chunk)
        if self._left <= 0:
            self.is_open = False

    def _on_header_end(self) -> None:
        header, value = (bytes(text) for text in self._header)
        for text in self._header:
            text.clear()
        if header.lower() == b"content-disposition":
            self._is_wanted = parse_options_header(value)[1].get(b"name") == self._name

    def _on_headers_finished(self) -> None:
        if not self._is_wanted:
            self.is_open = False

    def _on_part_end(self) -> None:
        if self.is_open:
            self.is_open = False
            self.found = self._value.decode(errors="replace")
