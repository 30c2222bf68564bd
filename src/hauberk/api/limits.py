"""Refuses bodies over a limit before they are read, or as soon as they have grown too large."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hauberk.api.envelope import failure
from hauberk.errors import TooLarge

# Where captures are sent, `traffic_imports.py`; they are not held in memory.
IMPORTS = re.compile(r"/hauberk/v1/zones/[^/]+/traffic/imports")
# Boundaries and the other fields of a form with a capture in it.
FORM_BYTES = 64 * 2**10
SETTING, IMPORT_SETTING = "control_plane.max_upload_bytes", "traffic.max_import_bytes"


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
        is_import = scope["method"] == "POST" and IMPORTS.fullmatch(scope["path"]) is not None
        limit = self.max_import_bytes + FORM_BYTES if is_import else self.max_bytes
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if lengths and lengths[0].isdigit() and int(lengths[0]) > limit:
            await self._refuse(is_import, scope, receive, send)
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
            await self._refuse(is_import, scope, receive, send)

    async def _refuse(self, is_import: bool, scope: Scope, receive: Receive, send: Send) -> None:
        most, setting = (self.max_import_bytes, IMPORT_SETTING) if is_import else (self.max_bytes, SETTING)
        message = f"the body is larger than {most} bytes; the setting is {setting}"
        response = failure(TooLarge.status, [{"code": TooLarge.code, "message": message}])
        response.headers["Connection"] = "close"
        await response(scope, receive, send)


class _Exceeded(BaseException):
    """Not an `Exception`: nothing between here and the reader may take it for an error of its own."""
