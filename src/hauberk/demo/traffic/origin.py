"""Serves the demo's shop to its gateway: `python -m hauberk.demo.traffic.origin --port 9000 --seed 1`."""

from __future__ import annotations

import argparse
import asyncio
import random
from typing import Any

from hauberk.demo.traffic import shop
from hauberk.serve.listening import bind, server


class Origin:
    """The shop as an ASGI application."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, after as long as the shop takes."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        target = scope["raw_path"].decode("latin-1") + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
        host = headers.get("host", "").partition(":")[0]
        made = shop.answer(scope["method"], host, target, headers, body, self.chance)
        await asyncio.sleep(made.seconds)
        told = {"content-type": made.content_type, "content-length": str(len(made.body)), **made.headers}
        pairs = [(name.lower().encode(), value.encode()) for name, value in told.items()]
        if made.status == 204:
            pairs = []
        await send({"type": "http.response.start", "status": made.status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else made.body})


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description="The demo's shop.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    server(Origin(given.seed), lifespan="off").run(sockets=[bind(f"127.0.0.1:{given.port}", "port")])


if __name__ == "__main__":
    main()
