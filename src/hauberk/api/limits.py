"""Refuses bodies over a limit before they are read, or as soon as they have grown too large."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hauberk.api.envelope import failure
from hauberk.errors import TooLarge


class BodyLimit:
    """
    ASGI middleware.

    Args:
        app: What it protects.

        max_bytes: The largest body.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body while the application reads it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if lengths and lengths[0].isdigit() and int(lengths[0]) > self.max_bytes:
            await self._refuse(scope, receive, send)
            return
        read = 0
        answering = False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.max_bytes and not answering:
                raise _Exceeded
            return message

        async def watched(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _Exceeded:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = f"the body is larger than {self.max_bytes} bytes; the setting is control_plane.max_upload_bytes"
        response = failure(TooLarge.status, [{"code": TooLarge.code, "message": message}])
        response.headers["Connection"] = "close"
        await response(scope, receive, send)


class _Exceeded(BaseException):
    """Not an `Exception`: nothing between here and the reader may take it for an error of its own."""
