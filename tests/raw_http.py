"""Requests as bytes: sent as they are, over HTTP/1.1 or in frames of HTTP/2, whatever a client library would say to them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Field = tuple[str | bytes, str | bytes]
T = TypeVar("T")

PATIENCE_SECONDS = 5
END_STREAM, END_HEADERS = 0x1, 0x4


def many(function: Callable[[T], bytes], requests: Iterable[T]) -> list[bytes]:
    """Ask many at a time: most of it is waiting."""
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(function, requests))


def exchange(port: int, request: bytes) -> bytes:
    """Send bytes on a connection of their own; give all that is answered until it is closed, or silent for long."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        try:
            connection.sendall(request)
            while part := connection.recv(65536):
                answer += part
        except (ConnectionError, TimeoutError):
            pass
    return answer


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def http2(
    port: int, server_name: str, fields: Sequence[Field], *, data: Sequence[bytes] = (), trailers: Sequence[Field] | None = None
) -> bytes:
    """
    Send one request over HTTP/2.

    Args:
        port: Of a TLS listener.

        server_name: For the handshake.

        fields: Pseudo-header fields and others, in this order and spelling.

        data: The body, a frame a part.

        trailers: Fields behind the body.

    Returns:
        The bytes of the answer's DATA frames; none when the stream or the connection was reset.
    """
    frames = _frame(4, 0, 0, b"") + _headers(fields, ends=not data and trailers is None)
    for index, part in enumerate(data):
        frames += _frame(0, END_STREAM if index == len(data) - 1 and trailers is None else 0, 1, part)
    if trailers is not None:
        frames += _headers(trailers, ends=True)
    with _connect(port, server_name) as connection:
        try:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames)
            return _answer(connection)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            return b""


def _connect(port: int, server_name: str) -> ssl.SSLSocket:
    # On a busy machine a handshake may be given up; what is asked comes after it, so it may be tried again.
    for left in (2, 1, 0):
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        try:
            return _tls().wrap_socket(plain, server_hostname=server_name)
        except (ssl.SSLEOFError, ConnectionError):
            plain.close()
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def _answer(connection: ssl.SSLSocket) -> bytes:
    answer = unread = b""
    while True:
        while len(unread) < 9 or len(unread) < 9 + int.from_bytes(unread[:3]):
            part = connection.recv(65536)
            if not part:
                return answer
            unread += part
        length, kind, flags = int.from_bytes(unread[:3]), unread[3], unread[4]
        stream, payload, unread = int.from_bytes(unread[5:9]), unread[9 : 9 + length], unread[9 + length :]
        if kind == 0:
            answer += payload
        reset, gone = kind == 3, kind == 7
        if reset or gone or (stream == 1 and kind in (0, 1) and flags & END_STREAM):
            return answer


def _headers(fields: Sequence[Field], *, ends: bool) -> bytes:
    # Each a literal that is not indexed, so that nothing has to be remembered (RFC 7541 section 6.2.2).
    block = b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)
    return _frame(1, END_HEADERS | (END_STREAM if ends else 0), 1, block)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def _text(text: str | bytes) -> bytes:
    text = text.encode() if isinstance(text, str) else text
    if len(text) < 127:
        return bytes([len(text)]) + text
    more, length = b"", len(text) - 127
    while length >= 128:
        more, length = more + bytes([length % 128 + 128]), length // 128
    return b"\x7f" + more + bytes([length]) + text
