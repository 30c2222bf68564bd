"""
An API of sensors, and the clients that call it: devices that report temperatures, and people who read and configure them.

`python sensor_site.py` serves the API on a free port of the loopback address and prints that; it takes anything, as origins do that trust
their callers. `SensorClients` makes up requests, the same for the same seed.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

HOST = "api.example.com"
OPERATIONS = {
    ("POST", "/temps"),
    ("GET", "/temps"),
    ("GET", "/sensors"),
    ("GET", "/sensors/{var1}"),
    ("PUT", "/sensors/{var1}"),
}
KINDS = ("indoor", "outdoor", "freezer", "oven")
TAGS = ("calibrated", "night", "test", "roof", "cellar")
PLACES = ("Greenhouse", "Cold store", "Server room", "Bakery", "Cellar", "Roof", "Workshop", "Aquarium", "Attic", "Garage")
SIDES = ("north", "south", "east", "west", "left", "right", "top", "door")
PEOPLE = ("anna", "ben", "carla", "deniz", "emil", "fatma", "greta", "hugo", "ines", "jan", "kim", "lea", "milan", "nora", "otto")


@dataclass(frozen=True)
class Sent:
    """A request."""

    caller: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None = None


def recorded(sent: Sent, at: datetime, **members: object) -> bytes:
    """Give the line of JSON that the traffic store has of a request that was answered with success."""
    headers = [[name, value] for name, value in sent.headers.items() if name != "Authorization"]
    row: dict[str, object] = {"host": HOST, "method": sent.method, "url": f"https://{HOST}{sent.target}", "request_headers": headers}
    row |= {"status": 200, "client": f"192.0.2.{sent.caller}", "session": f"{sent.caller:016x}", "time": at.isoformat()}
    return json.dumps(row | ({"request_body": sent.body.decode()} if sent.body is not None else {}) | members).encode()


class SensorClients:
    """
    Clients of the API.

    Args:
        seed: Makes the chance.

        callers: How many of them there are; each has a token and an address of its own.
    """

    def __init__(self, seed: int, callers: int = 200) -> None:
        self.chance = random.Random(seed)
        self.tokens = [f"{random.Random(n).randrange(16**32):032x}" for n in range(callers)]
        self.sensors = [f"sn-{random.Random(n).randrange(10**6):06d}" for n in range(900)]

    def requests(self, count: int) -> Iterator[Sent]:
        """Make so many requests."""
        makers = (self._report, self._read, self._list, self._show, self._configure)
        for _ in range(count):
            yield self.chance.choices(makers, (40, 20, 12, 14, 14))[0]()

    def _report(self) -> Sent:
        chance = self.chance
        body: dict[str, object] = {
            "sensor": chance.choice(self.sensors),
            "temperature": round(chance.uniform(-30, 60), chance.choice((1, 1, 1, 0))),
            "time": self._moment().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        if chance.random() < 0.5:
            body["unit"] = chance.choice(("C", "F"))
        if chance.random() < 0.3:
            body["location"] = {"latitude": round(chance.uniform(47, 55), 5), "longitude": round(chance.uniform(6, 15), 5)}
        if chance.random() < 0.2:
            body["tags"] = chance.sample(TAGS, chance.randint(1, 3))
        return self._sent("POST", "/temps", body=body)

    def _read(self) -> Sent:
        chance = self.chance
        until = self._moment().date()
        query: dict[str, object] = {"sensor": chance.choice(self.sensors)}
        if chance.random() < 0.7:
            query |= {"from": until - timedelta(days=chance.randint(1, 28)), "to": until}
        if chance.random() < 0.6:
            query["limit"] = chance.choice((10, 20, 50, 100))
        if chance.random() < 0.4:
            query["order"] = chance.choice(("asc", "desc"))
        return self._sent("GET", "/temps", query)

    def _list(self) -> Sent:
        query: dict[str, object] = {"page": self.chance.randint(1, 40)}
        if self.chance.random() < 0.5:
            query["kind"] = self.chance.choice(KINDS)
        return self._sent("GET", "/sensors", query)

    def _show(self) -> Sent:
        return self._sent("GET", f"/sensors/{self.chance.choice(self.sensors)}")

    def _configure(self) -> Sent:
        chance = self.chance
        body: dict[str, object] = {
            "name": f"{chance.choice(PLACES)} {chance.randint(1, 60)}, {chance.choice(SIDES)}",
            "kind": chance.choice(KINDS),
            "interval_seconds": chance.randint(10, 3600),
            "enabled": chance.random() < 0.9,
            "notes": None if chance.random() < 0.6 else " ".join(chance.choices(PLACES + SIDES, k=chance.randint(1, 8))),
        }
        if chance.random() < 0.5:
            body["alarm"] = {
                "above": None if chance.random() < 0.3 else chance.randint(20, 90),
                "contact": {"email": f"{chance.choice(PEOPLE)}.{chance.randint(1, 99)}@example.com"},
            }
        return self._sent("PUT", f"/sensors/{chance.choice(self.sensors)}", body=body)

    def _moment(self) -> datetime:
        return datetime.now(UTC) - timedelta(milliseconds=self.chance.randint(0, 60_000))

    def _sent(self, method: str, path: str, query: dict[str, object] | None = None, body: dict[str, object] | None = None) -> Sent:
        caller = self.chance.randrange(len(self.tokens))
        headers = {
            "User-Agent": "sensors/4.2",
            "Accept": "application/json",
            "Authorization": f"Bearer {self.tokens[caller]}",
            "X-Request-Id": f"{self.chance.randrange(16**16):016x}",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        return Sent(caller, method, target, headers, None if body is None else json.dumps(body).encode())


def send(address: str, requests: Iterable[Sent], threads: int = 8) -> Counter[int]:
    """Send requests, those of one caller in order over a connection of its own from an address of its own; count the statuses."""
    of_thread: list[list[Sent]] = [[] for _ in range(threads)]
    for sent in requests:
        of_thread[sent.caller % threads].append(sent)
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda some: _send(address, some), of_thread), Counter())


def _send(address: str, requests: Iterable[Sent]) -> Counter[int]:
    statuses = Counter[int]()
    with ExitStack() as stack:
        connections: dict[int, http.client.HTTPConnection] = {}
        for sent in requests:
            connection = connections.get(sent.caller)
            if connection is None:
                # All of 127.0.0.0/8 is this machine.
                source = f"127.0.{1 + sent.caller // 250}.{1 + sent.caller % 250}"
                connection = http.client.HTTPConnection(address, timeout=30, source_address=(source, 0))
                stack.callback(connection.close)
                connections[sent.caller] = connection
            connection.request(sent.method, sent.target, sent.body, sent.headers | {"Host": HOST})
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
    return statuses


class _Origin(asyncio.Protocol):
    """Answers each request with a little JSON, and 201 where something was made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, _, rest = self.waiting.partition(b"\r\n\r\n")
            length = next((int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            if len(rest) < length:
                return
            self.waiting = rest[length:]
            body = b"" if head.startswith(b"HEAD") else b'{"status":"good","items":[]}'
            start = b"HTTP/1.1 201 Created" if head.startswith(b"POST") else b"HTTP/1.1 200 OK"
            self.transport.write(start + b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Origin, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
