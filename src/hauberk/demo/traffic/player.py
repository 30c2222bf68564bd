"""Plays the mix through the gateway: real TLS, a connection for each caller, from an address of its own."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from hauberk.demo.traffic.exchange import HOSTS, Sent
from hauberk.demo.traffic.mix import Mix

# A gateway that is slower than it is asked must not be asked by ever more at a time.
AT_ONCE = 64
TIMEOUT_SECONDS = 15


class Player:
    """
    Sends requests to a gateway.

    Args:
        port: The gateway's, on this machine.

        trusted: Its server certificates, PEM.

        certificates: Folder of the clients' certificates and keys.
    """

    def __init__(self, port: int, trusted: Iterable[str], certificates: Path) -> None:
        self.port = port
        self.outcomes: Counter[str] = Counter()
        """Answers by their status, `no answer` for those that did not come."""
        self._trusted = "\n".join(trusted)
        self._certificates = certificates
        self._contexts: dict[str | None, ssl.SSLContext] = {}
        self._clients: dict[tuple[str, str], httpx.AsyncClient] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def play(self, mix: Mix, rate: float, stop: asyncio.Event) -> None:
        """
        Play until told to stop, or cancelled.

        Args:
            mix: Who calls.

            rate: Visits in a second; one is one request or more.

            stop: Ends it.
        """
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                visit = mix.visit(datetime.now(UTC), released=True)
                await self._places.acquire()
                group.create_task(self._visit(visit))
                await asyncio.sleep(mix.chance.expovariate(rate))
        for client in self._clients.values():
            await client.aclose()

    async def _visit(self, visit: list[Sent]) -> None:
        try:
            for sent in visit:
                await self._send(sent)
        finally:
            self._places.release()

    async def _send(self, sent: Sent) -> None:
        client = self._client(sent)
        request = client.build_request(
            sent.method,
            f"https://127.0.0.1:{self.port}",
            headers={**sent.headers, "Host": sent.host},
            content=sent.body,
            extensions={"sni_hostname": sent.host},
        )
        # As it stands: attackers send what no library would.
        request.url = request.url.copy_with(raw_path=sent.target.encode("ascii"))
        try:
            response = await client.send(request)
            self.outcomes[str(response.status_code)] += 1
        except httpx.HTTPError:
            self.outcomes["no answer"] += 1

    def _client(self, sent: Sent) -> httpx.AsyncClient:
        client = self._clients.get((sent.caller, sent.host))
        if client is None:
            transport = httpx.AsyncHTTPTransport(
                verify=self._context(sent.certificate), local_address=sent.address, limits=httpx.Limits(max_connections=2)
            )
            client = httpx.AsyncClient(transport=transport, timeout=TIMEOUT_SECONDS, headers={"Accept-Encoding": "identity"})
            for name in ("accept", "user-agent"):  # whoever wants them sends their own
                client.headers.pop(name, None)
            self._clients[sent.caller, sent.host] = client
        return client

    def _context(self, certificate: str | None) -> ssl.SSLContext:
        context = self._contexts.get(certificate)
        if context is None:
            context = ssl.create_default_context(cadata=self._trusted)
            if certificate is not None:
                context.load_cert_chain(self._certificates / f"{certificate}.pem", self._certificates / f"{certificate}.key")
            self._contexts[certificate] = context
        return context


def server_certificates(hosts: Iterable[dict[str, str]]) -> list[str]:
    """Take out of the REST API's list of hosts what callers have to trust."""
    return [host["certificate_pem"] for host in hosts if host["name"] in HOSTS]
