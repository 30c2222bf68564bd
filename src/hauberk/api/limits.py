"""Refuses bodies over a limit before they are read, or as soon as they have grown too large."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hauberk.api.envelope import failure
from hauberk.errors import TooLarge

# Where captures are sent, `traffic_imports.py` and the dashboard's form for it; they are not held in memory.
IMPORTS = re.compile(r"/hauberk/v1/zones/[^/]+/traffic/imports|/zones/[^/]+/discovery/imports")
# Boundaries and the other fields of a form with a capture in it.
FORM_BYTES = 64 * 2**10


class BodyLimit:
    """
    ASGI middleware.

    Args:
        app: What it protects.

        max_bytes: The largest body.

        max_import_bytes: The largest capture that is imported; how it is sent may add a little to it.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_import_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_import_bytes = max_import_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body while the application reads it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit, setting = self._limit(scope)
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if lengths and lengths[0].isdigit() and int(lengths[0]) > limit:
            await _refuse(limit, setting, scope, receive, send)
            return
        read = 0
        answering = False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit and not answering:
                raise _Exceeded
            return message

        async def watched(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _Exceeded:
            await _refuse(limit, setting, scope, receive, send)

    def _limit(self, scope: Scope) -> tuple[int, str]:
        if scope["method"] == "POST" and IMPORTS.fullmatch(scope["path"]):
            return self.max_import_bytes + FORM_BYTES, "traffic.max_import_bytes"
        return self.max_bytes, "control_plane.max_upload_bytes"


async def _refuse(limit: int, setting: str, scope: Scope, receive: Receive, send: Send) -> None:
    message = f"the body is larger than {limit} bytes; the setting is {setting}"
    response = failure(TooLarge.status, [{"code": TooLarge.code, "message": message}])
    response.headers["Connection"] = "close"
    await response(scope, receive, send)


class _Exceeded(BaseException):
    """Not an `Exception`: nothing between here and the reader may take it for an error of its own."""
