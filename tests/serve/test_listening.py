"""Listening sockets: what accepted connections are like, and what is said where none can be made."""

from __future__ import annotations

import asyncio
import socket

import pytest

from hauberk.errors import ConfigurationError
from hauberk.serve.listening import bind


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0"])
def test_answers_do_not_wait_for_acknowledgements(address: str) -> None:
    async def nodelay() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with bind(address, "control_plane.listen") as bound:
            host, port = bound.getsockname()[:2]
            async with await asyncio.start_server(accepted, sock=bound):
                _, writer = await asyncio.open_connection(host, port)
                result = await told
                writer.close()
                await writer.wait_closed()
                return result

    assert asyncio.run(nodelay()) == 1


def test_an_address_in_use_is_told_with_its_setting() -> None:
    with bind("127.0.0.1:0", "control_plane.listen") as first:
        address = f"127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=f"gateway.metrics: {address} is in use by another process"):
            bind(address, "gateway.metrics")
