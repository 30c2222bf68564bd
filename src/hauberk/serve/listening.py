"""Listening sockets and the HTTP server behind them, for both processes."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Any

import uvicorn

from hauberk.config import split_address
from hauberk.errors import ConfigurationError


def bind(address: str, key: str) -> socket.socket:
    """
    Bind a listening socket before anything else starts.

    Args:
        address: E.g. `127.0.0.1:8080`.

        key: The setting it comes from, for the error.

    Raises:
        ConfigurationError: If it is in use, or not an address of this machine.
    """
    host, port = split_address(address)
    # With its protocol named, or asyncio leaves Nagle's algorithm on and each answer on a kept connection waits 40 ms for an ACK.
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(2048)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(f"{key}: {address} is in use by another process: stop it, or choose another port") from None
        raise ConfigurationError(f"{key}: {address} cannot be listened on: {error.strerror}") from None
    return bound


def server(app: Any, trusted_proxies: Sequence[str] = (), **options: Any) -> uvicorn.Server:
    """
    Make the HTTP server of an application; it writes no log of its own.

    Args:
        app: The application.

        trusted_proxies: Addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.

        options: More of uvicorn's.
    """
    options |= {"proxy_headers": bool(trusted_proxies), "forwarded_allow_ips": list(trusted_proxies)}
    return uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5, **options)
    )
