"""One HTTPS connection that stays open: what becomes of it is the point."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class KeptAlive:
    """
    A client with a certificate and a single connection; it never opens another one.

    Args:
        host: Name for SNI and the `Host` header; the connection goes to 127.0.0.1.

        port: The gateway's port.

        server_certificate: What to trust.

        certificate: The client's own.

        private_key: Its key.
    """

    def __init__(self, host: str, port: int, server_certificate: Path, certificate: Path, private_key: Path) -> None:
        context = ssl.create_default_context(cafile=server_certificate)
        context.load_cert_chain(certificate, private_key)
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._connection = http.client.HTTPSConnection(host, port, timeout=10)
        # Set once; http.client would open a new one silently when the other side closes, hence `auto_open`.
        self._connection.auto_open = 0
        self._connection.sock = context.wrap_socket(plain, server_hostname=host)
        self.local_port: int = self._connection.sock.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def post(self, body: str) -> int:
        """
        Post a reading; the status.

        Raises:
            ConnectionError: If the connection was closed.
        """
        try:
            self._connection.request("POST", "/temps", body, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
        except (http.client.HTTPException, OSError) as error:
            raise ConnectionError(f"the connection was closed: {error}") from error
        answer.read()
        return answer.status

    def post_until(self, status: int, body: str, *, timeout: float) -> float | None:
        """Post until the answer has the status; after how many seconds that was, or `None` if the time is over or the connection closed."""
        begin = time.monotonic()
        while time.monotonic() - begin < timeout:
            try:
                if self.post(body) == status:
                    return time.monotonic() - begin
            except ConnectionError:
                return None
            time.sleep(0.05)
        return None
