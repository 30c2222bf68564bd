"""
HTTP/2 in front, HTTP/1.1 behind: what has no meaning or another one in lines of text is refused, or written so that it has one.

The fields are sent in frames as they are, which no client library would do. What the origin receives is compared byte for byte.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from hauberk._native import Gateway
from raw_http import Field, http2
from test_path_differential import RULED, snapshot

SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
OURS = (b"via:", b"x-request-id:", b"x-forwarded-", b"cf-connecting-ip:", b"host:")


@dataclass
class Recorder:
    """An origin that keeps each connection's bytes, and answers when it has a head and what its length announces."""

    port: int
    received: list[bytes] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        seen = b""
        try:
            while not self._is_whole(seen):
                part = connection.recv(65536)
                if not part:
                    return
                seen += part
            self.received.append(seen)
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\nanswered")
        except OSError:
            return

    @staticmethod
    def _is_whole(seen: bytes) -> bool:
        head, end, body = seen.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        if b"transfer-encoding: chunked" in lines:
            return body.endswith(b"0\r\n\r\n")
        length = next((int(line[16:]) for line in lines if line.startswith(b"content-length: ")), 0)
        return bool(end) and len(body) >= length


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    listener = socket.create_server(("127.0.0.1", 0))
    made = Recorder(listener.getsockname()[1])
    thread = threading.Thread(target=made.serve, args=[listener])
    thread.start()
    yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture(scope="module")
def gateway(recorder: Recorder) -> Iterator[int]:
    core = Gateway(https=["127.0.0.1:0"], http=[], threads=1)
    core.apply_snapshot(snapshot(f"http://127.0.0.1:{recorder.port}"))
    thread = threading.Thread(target=core.run)
    thread.start()
    yield int(core.https_addresses[0].rpartition(":")[2])
    core.stop(0)
    thread.join()


def asked(*more: Field, **pseudo: str) -> list[Field]:
    """A request for `/x`, some pseudo-header fields of which are others, or left out if empty."""
    values = {"method": "POST", "scheme": "https", "authority": RULED, "path": "/x", **pseudo}
    return [*((f":{name}", value) for name, value in values.items() if value), *more]


REFUSED: dict[str, list[Field]] = {
    **{
        f"a value with {end!r}": asked(("x-a", f"b{end}transfer-encoding: chunked{end}{end}{SMUGGLED}"))
        for end in ("\r\n", "\n", "\r", "\0", "\r\n ")
    },
    **{f"a name with {mark!r}": asked((f"x{mark}y", "1")) for mark in ("\r\n", "\n", "\r", "\0", ":", " ", "\t", ": 1\r\nhost")},
    **{f"the name {name!r}": asked((name, "1")) for name in ("X-Upper", "", " x", "x ", ":unknown", ":status", "\u00fc")},
    "transfer-encoding": asked(("transfer-encoding", "chunked")),
    "connection": asked(("connection", "keep-alive")),
    "connection that names": asked(("connection", "x-forwarded-for")),
    "keep-alive": asked(("keep-alive", "1")),
    "proxy-connection": asked(("proxy-connection", "keep-alive")),
    "upgrade": asked(("upgrade", "h2c")),
    "te with something else": asked(("te", "chunked")),
    "two lengths": asked(("content-length", "3"), ("content-length", "4")),
    "two equal lengths": asked(("content-length", "3"), ("content-length", "3")),
    "a length with a sign": asked(("content-length", "+3")),
    "a length of nothing": asked(("content-length", "")),
    "a length that is listed": asked(("content-length", "3, 3")),
    "a length with a zero": asked(("content-length", "03")),
    "a length in another spelling": asked(("content_length", "3")),
    "a path with a space": asked(path="/x y"),
    "a path with a line end": asked(path=f"/x HTTP/1.1\r\nHost: x\r\n\r\n{SMUGGLED}"),
    "a path with a bare LF": asked(path="/x\nX: y"),
    "a path with a tab": asked(path="/x\ty"),
    "a path with a zero": asked(path="/x\0"),
    "a path without a slash": asked(path="x"),
    "no path": asked(path=""),
    "a path that is a URL": asked(path="http://other.example.com/x"),
    "two paths": asked((":path", "/y")),
    "a path behind the fields": [*asked(("x-a", "1"), path=""), (":path", "/x")],
    "a method with a space": asked(method="GET /smuggled"),
    "a method with a line end": asked(method=f"{SMUGGLED}POST"),
    "no method": asked(method=""),
    "two methods": asked((":method", "GET")),
    "a connect": asked(method="CONNECT"),
    "an extended connect": asked((":protocol", "websocket"), method="CONNECT"),
    "no scheme": asked(scheme=""),
    "a scheme with a line end": asked(scheme="https\r\nx: y"),
    "no authority and no host": asked(authority=""),
    "an authority with a path": asked(authority=f"{RULED}/y"),
    "an authority with a user": asked(authority=f"user@{RULED}"),
    "an authority with a line end": asked(authority=f"{RULED}\r\nx: y"),
    "two authorities": asked((":authority", "other.example.com")),
    "another host": asked(("host", "other.example.com")),
    "two hosts": asked(("host", RULED), ("host", "other.example.com")),
    "a host nobody serves": asked(authority="evil.test"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_has_another_meaning_in_lines_is_refused(gateway: int, recorder: Recorder, case: str) -> None:
    recorder.received.clear()
    answer = http2(gateway, RULED, REFUSED[case], data=[b"abc"])
    assert b"answered" not in answer
    assert recorder.received == []


@pytest.mark.parametrize(("length", "data"), [("2", [b"abc"]), ("4", [b"abc"]), ("3", [b"abc", b"d"]), ("3", [b"a", SMUGGLED.encode()])])
def test_a_body_that_is_not_as_long_as_it_says_arrives_nowhere(gateway: int, recorder: Recorder, length: str, data: list[bytes]) -> None:
    recorder.received.clear()
    assert b"answered" not in http2(gateway, RULED, asked(("content-length", length)), data=data)
    assert recorder.received == []


def test_a_body_behind_a_length_of_zero_is_dropped(gateway: int, recorder: Recorder) -> None:
    recorder.received.clear()
    http2(gateway, RULED, asked(("content-length", "0")), data=[SMUGGLED.encode()])
    assert all(seen.endswith(b"\r\n\r\n") and b"smuggled" not in seen for seen in recorder.received)


@pytest.mark.parametrize(
    ("request_fields", "data", "trailers", "line", "lines", "body"),
    [
        (asked(), [b"abc"], None, b"POST /x", [b"transfer-encoding: chunked"], b"3\r\nabc\r\n0\r\n\r\n"),
        (asked(("content-length", "3")), [b"abc"], None, b"POST /x", [b"content-length: 3"], b"abc"),
        (asked(("content-length", "3")), [b"a", b"bc"], None, b"POST /x", [b"content-length: 3"], b"abc"),
        (asked(("te", "trailers"), ("content-length", "0")), [], None, b"POST /x", [b"content-length: 0"], b""),
        (asked(("content-length", "3")), [b"abc"], [("x-role", "admin")], b"POST /x", [b"content-length: 3"], b"abc"),
        (asked(), [b"abc"], [("content-length", "9")], b"POST /x", [b"transfer-encoding: chunked"], b"3\r\nabc\r\n0\r\n\r\n"),
        (asked(("host", RULED), method="GET"), [], None, b"GET /x", [], b""),
        (asked(("cookie", "a=1"), ("cookie", "b=2"), method="GET"), [], None, b"GET /x", [b"cookie: a=1; b=2"], b""),
        ([*asked(authority="", method="GET"), ("host", RULED)], [], None, b"GET /x", [], b""),
        (asked(("x-a", "b: c"), method="GET", path="/x?a=%0d%0a"), [], None, b"GET /x?a=%0d%0a", [b"x-a: b: c"], b""),
    ],
)
def test_what_arrives_is_written_in_one_way(
    gateway: int,
    recorder: Recorder,
    request_fields: list[Field],
    data: list[bytes],
    trailers: list[Field] | None,
    line: bytes,
    lines: list[bytes],
    body: bytes,
) -> None:
    recorder.received.clear()
    assert http2(gateway, RULED, request_fields, data=data, trailers=trailers) == b"answered"
    [seen] = recorder.received
    head, _, rest = seen.partition(b"\r\n\r\n")
    first, *others = head.split(b"\r\n")
    assert first == line + b" HTTP/1.1"
    named = [name + b":" + value for name, _, value in (other.partition(b":") for other in others)]
    kept = [other for other in named if not other.lower().startswith(OURS)]
    assert sorted(other.partition(b":")[0].lower() + b":" + other.partition(b":")[2] for other in kept) == sorted(lines)
    assert rest == body
