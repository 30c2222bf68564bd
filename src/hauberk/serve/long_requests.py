"""Requests whose head is too long to be read: a page says so to people, JSON to programs; the server alone would send a line of text."""

from __future__ import annotations

import sys

import h11
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from hauberk.api.envelope import failure
from hauberk.dashboard.app import REST_PREFIXES, add_security_headers
from hauberk.dashboard.problems import head_too_long
from hauberk.errors import TooLarge

HEAD_TOO_LONG = 431


class Protocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an answer of ours to heads that are too long."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read; uvicorn calls it while it handles the parser's error."""
        error = sys.exception()
        if not isinstance(error, h11.RemoteProtocolError) or error.error_status_hint != HEAD_TOO_LONG:
            super().send_400_response(msg)
            return
        answer = _answer(bytes(self.conn.trailing_data[0][:1000]), self.scheme or "http")
        headers = [*answer.raw_headers, (b"connection", b"close")]
        for event in (h11.Response(status_code=answer.status_code, headers=headers), h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def _answer(head: bytes, scheme: str) -> Response:
    answer: Response = head_too_long()
    if head.partition(b" ")[2].startswith(tuple(prefix.encode() for prefix in REST_PREFIXES)):
        message = "the request line and the headers are longer together than is taken here"
        answer = failure(HEAD_TOO_LONG, [{"code": TooLarge.code, "message": message}])
    add_security_headers(answer.headers, scheme)
    return answer
