"""
Listen to what Chromium sends and receives, over the DevTools protocol.

`Wire` is a second client of the browser beside the one that drives it: it attaches itself to every page, frame and
worker before that may send anything, collects the events of the Network domain, and fetches the bodies that a record
keeps. What the events mean is left to `assemble`.
"""

import asyncio
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

MAX_BODY_BYTES = 64 * 1024
KEPT_EVENTS = frozenset(
    {
        "Network.requestWillBeSent",
        "Network.requestWillBeSentExtraInfo",
        "Network.responseReceived",
        "Network.responseReceivedExtraInfo",
        "Network.requestServedFromCache",
        "Network.dataReceived",
        "Network.loadingFinished",
        "Network.loadingFailed",
        "Network.webSocketCreated",
        "Network.webSocketWillSendHandshakeRequest",
        "Network.webSocketHandshakeResponseReceived",
    }
)
_ATTACH = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
# Types whose bodies are never JSON; everything else below the size limit is asked for and looked at.
_NOT_JSON = ("html", "javascript", "css", "image/", "font", "video/", "audio/", "octet-stream", "zip", "wasm", "event-stream")


@dataclass
class Event:
    """One event of the Network domain, with the session (page, frame or worker) it came from."""

    session: str
    method: str
    params: dict[str, Any]


@dataclass
class Wire:
    """What one browser said about its network, in the order it said so."""

    events: list[Event] = field(default_factory=list)
    bodies: dict[tuple[str, str], str] = field(default_factory=dict)
    posted: dict[tuple[str, str], str] = field(default_factory=dict)
    _socket: ClientConnection | None = None
    _ids: "count[int]" = field(default_factory=count)
    _answers: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _mime: dict[tuple[str, str], str] = field(default_factory=dict)

    async def open(self, address: str) -> None:
        """Connect to the browser whose DevTools WebSocket is at `address` and follow every target of it."""
        self._socket = await connect(address, max_size=None, ping_interval=None)
        self._spawn(self._listen())
        await self._send("Target.setAutoAttach", _ATTACH)

    async def close(self) -> None:
        """Wait a moment for bodies still being fetched, then disconnect."""
        await asyncio.sleep(0.5)
        if self._socket is not None:
            await self._socket.close()
        for task in list(self._tasks):
            task.cancel()

    async def _send(self, method: str, params: dict[str, Any], session: str = "") -> dict[str, Any]:
        if self._socket is None:
            raise ConnectionError("the wire is not open")
        number = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        await self._socket.send(json.dumps(message))
        try:
            return await asyncio.wait_for(answer, 5)
        except TimeoutError:
            return {}
        finally:
            self._answers.pop(number, None)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        if self._socket is None:
            return
        async for raw in self._socket:
            message = json.loads(raw)
            if "id" in message:
                future = self._answers.get(message["id"])
                if future is not None and not future.done():
                    future.set_result(message.get("result", {}))
            elif message["method"] == "Target.attachedToTarget":
                self._spawn(self._follow(message["params"]["sessionId"]))
            elif message["method"] in KEPT_EVENTS:
                self._note(Event(message.get("sessionId", ""), message["method"], message["params"]))

    async def _follow(self, session: str) -> None:
        limits = {"maxTotalBufferSize": 64 << 20, "maxResourceBufferSize": 8 << 20, "maxPostDataSize": MAX_BODY_BYTES}
        # Durable messages keep the answer to a request readable after its page has gone; older browsers ignore it.
        enabling = self._send("Network.enable", {**limits, "enableDurableMessages": True}, session)
        attaching = self._send("Target.setAutoAttach", _ATTACH, session)
        running = self._send("Runtime.runIfWaitingForDebugger", {}, session)
        await asyncio.gather(enabling, attaching, running)

    def _note(self, event: Event) -> None:
        self.events.append(event)
        key = (event.session, event.params.get("requestId", ""))
        if event.method == "Network.responseReceived":
            self._mime[key] = event.params["response"].get("mimeType", "")
        elif event.method == "Network.loadingFinished":
            mime = self._mime.get(key, "")
            if event.params.get("encodedDataLength", 0) < 4 * MAX_BODY_BYTES and not any(part in mime for part in _NOT_JSON):
                self._spawn(self._fetch_body(key))
        elif event.method == "Network.requestWillBeSent":
            request = event.params["request"]
            if request.get("hasPostData") and "postData" not in request:
                self._spawn(self._fetch_posted(key))

    async def _fetch_body(self, key: tuple[str, str]) -> None:
        answer = await self._send("Network.getResponseBody", {"requestId": key[1]}, key[0])
        if "body" in answer and not answer.get("base64Encoded"):
            self.bodies[key] = answer["body"]

    async def _fetch_posted(self, key: tuple[str, str]) -> None:
        answer = await self._send("Network.getRequestPostData", {"requestId": key[1]}, key[0])
        if "postData" in answer:
            self.posted[key] = answer["postData"]
