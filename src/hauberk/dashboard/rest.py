"""
The REST API as pages call it: in the same process, with the rights of who is signed in.

Pages have no other way to the control plane. So a page cannot do what the API cannot, and rights are checked in one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

import httpx
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hauberk.caller import CALLER, Caller

# Only names of this list leave the visitor's request for the one that is made of it: its cookies and conditions are the page's.
_FORWARDED_HEADERS = frozenset({b"accept", b"accept-encoding", b"user-agent"})


@dataclass(frozen=True)
class Answer:
    """What the REST API answered."""

    result: Any
    info: Mapping[str, int]
    """Paging counts of a list, else empty."""

    messages: Sequence[Mapping[str, Any]]
    response: httpx.Response


class RestError(Exception):
    """
    The REST API refused a call.

    Args:
        status: Its HTTP status.

        errors: Each with `code`, `message`, perhaps `source.pointer`.

        body: The whole answer, for those that carry more than errors.
    """

    def __init__(self, status: int, errors: Sequence[Mapping[str, Any]], body: Mapping[str, Any] | None = None) -> None:
        super().__init__("; ".join(str(error.get("message", "")) for error in errors))
        self.status = status
        self.errors = errors
        self.body = body or {}

    @property
    def message(self) -> str:
        """All messages, for a person."""
        return str(self)


class Rest:
    """
    A client of the REST application.

    Args:
        app: The REST application.

        caller: Whose rights hold.
    """

    def __init__(self, app: ASGIApp, caller: Caller) -> None:
        self._app = app
        self._caller = caller
        transport = httpx.ASGITransport(app=self._as_caller, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://control-plane", trust_env=False)

    async def _as_caller(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, CALLER: self._caller}, receive, send)

    async def call(self, method: str, path: str, *, json: Any = None, query: Mapping[str, Any] | None = None, **body: Any) -> Answer:
        """
        Make one call.

        Args:
            method: E.g. `PATCH`.

            path: From `/client/v4` or `/hauberk/v1` on, quoted, without a query.

            json: The body, if it is JSON; `None` sends none.

            query: Parameters; those that are `None` are left out.

            body: `data`, `files`, `content` or `headers`, as httpx takes them.

        Raises:
            RestError: If the answer is an error.
        """
        params = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        if json is not None:
            body["json"] = json
        try:
            response = await self._client.request(method, _plain(path), params=params or None, **body)
        except httpx.InvalidURL:
            raise RestError(414, [{"message": "a value is too long to be asked for"}]) from None
        if response.is_error:
            raise _error(response)
        if not _is_json(response):
            return Answer(response.content, {}, (), response)
        document = response.json()
        return Answer(document.get("result"), document.get("result_info") or {}, document.get("messages") or (), response)

    async def get(self, path: str, /, **query: Any) -> Answer:
        """Read; keywords are query parameters."""
        return await self.call("GET", path, query=query)

    async def post(self, path: str, json: Any = None, **body: Any) -> Answer:
        """Make or ask for something."""
        return await self.call("POST", path, json=json, **body)

    async def put(self, path: str, json: Any = None, **body: Any) -> Answer:
        """Replace something."""
        return await self.call("PUT", path, json=json, **body)

    async def patch(self, path: str, json: Any = None, **body: Any) -> Answer:
        """Change something."""
        return await self.call("PATCH", path, json=json, **body)

    async def delete(self, path: str, json: Any = None, **body: Any) -> Answer:
        """Delete something."""
        return await self.call("DELETE", path, json=json, **body)

    def forward(self, path: str, /, **query: Any) -> Response:
        """
        Answer a page's request with what the API streams at a path, such as a file to keep; nothing of it is held here.

        What the API refuses is a `RestError` when the answer is sent, and so a page.
        """
        pairs = [(name, _text(value)) for name, value in query.items() if value is not None]
        return _Forwarded(self._app, self._caller, _plain(path), urlencode(pairs))

    async def close(self) -> None:
        """Let go of what the client holds."""
        await self._client.aclose()


def _is_json(response: httpx.Response) -> bool:
    return "application/json" in response.headers.get("content-type", "")


def _error(response: httpx.Response) -> RestError:
    if not _is_json(response):
        return RestError(response.status_code, [{"message": f"the API answered {response.status_code}"}])
    document = response.json()
    return RestError(response.status_code, document.get("errors") or [], document)


class _Forwarded(Response):
    def __init__(self, app: ASGIApp, caller: Caller, path: str, query: str) -> None:
        super().__init__()
        self._app, self._caller, self._path, self._query = app, caller, path, query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = {
            "type": "http",
            "asgi": scope["asgi"],
            "http_version": scope["http_version"],
            "method": "GET",
            "scheme": scope["scheme"],
            "path": httpx.URL(self._path).path,
            "raw_path": self._path.encode(),
            "query_string": self._query.encode(),
            "root_path": "",
            "headers": [(name, value) for name, value in scope["headers"] if name in _FORWARDED_HEADERS],
            "client": scope.get("client"),
            "server": scope.get("server"),
            CALLER: self._caller,
        }
        head: Message | None = None
        refusal = bytearray()

        async def send_on(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = message  # held until there is something of the body: what fails before can still be told
            elif head is None:
                await send(message)
            elif head["status"] < 400:
                await send(head)
                head = None
                await send(message)
            else:
                refusal.extend(message.get("body", b""))

        try:
            await self._app(inner, receive, send_on)
        except Exception as error:
            if head is None:
                raise
            raise RestError(500, [{"message": "an error inside hauberk: its log has the details"}]) from error
        if head is not None:
            raise _error(httpx.Response(head["status"], headers=head["headers"], content=bytes(refusal)))


def _plain(path: str) -> str:
    """
    Give a path back, if no value in it makes it another one.

    Ids come from addresses and forms. Whatever one holds, it has to stay a single part: `..` would lead to another resource, `?` and `#`
    would cut the path off. No id of the REST API has any of these.

    Raises:
        RestError: If one does: nothing is there.
    """
    parts = [unquote(part) for part in path.split("/")]
    if any(part in {".", ".."} or not part.isprintable() or "/" in part for part in parts) or "?" in path or "#" in path:
        raise RestError(404, [{"message": "nothing has this id"}])
    return path


def _text(value: Any) -> str | list[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    return str(value)
