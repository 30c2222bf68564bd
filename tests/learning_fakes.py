"""Stand-ins for the store and the core that learning works with, so that the job around them can be tested by itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hauberk import _native
from hauberk.learned_schema import Evidence, LearnedOperation, Statement
from hauberk.operation import OperationKey
from hauberk.schema_learning import Parts
from hauberk.storage.models import now
from hauberk.template_rule import covers
from hauberk.traffic.hours import RecordedHour, RecordedHours
from hauberk.traffic.segments import SegmentFolder
from hauberk.traffic.store import TrafficStore

HOST = "api.example.com"
ZONE = "z"
HOUR = timedelta(hours=1)


def this_hour() -> datetime:
    return now().replace(minute=0, second=0, microsecond=0)


@dataclass
class Recorder:
    """Writes requests into a real store, with an id in each so that they can be told apart."""

    folder: Path
    number: int = 0
    store: TrafficStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = TrafficStore(self.folder, writer="w")

    def record(
        self, count: int, hours_ago: int = 5, url: str = "/users/1", method: str = "GET", host: str = HOST, **members: Any
    ) -> list[int]:
        """Write so many requests of that hour; give their ids."""
        begun = self.number
        lines = []
        for _ in range(count):
            time = this_hour() - hours_ago * HOUR + timedelta(seconds=self.number % 3600)
            row = {"host": host, "method": method, "url": f"{url}{'&' if '?' in url else '?'}id={self.number}", "status": 200}
            lines.append(json.dumps(row | {"time": time.isoformat(), **members}).encode())
            self.number += 1
        self.store.import_rows(lines)
        return list(range(begun, self.number))


class WatchedHours(RecordedHours):
    """A store that tells which hours were read, and lets a test step in."""

    def __init__(self, folder: SegmentFolder) -> None:
        super().__init__(folder)
        self.read: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def lines(self, *hours: RecordedHour, successful: bool = True) -> Iterator[bytes]:
        for hour in hours:
            self.read.append(round((this_hour() - hour.hour) / HOUR))
            self.meanwhile()
        return super().lines(*hours, successful=successful)


class FakeLearner:
    """Remembers the ids of requests, how often each came, and their parameters."""

    made_with: tuple[Any, ...] = ()

    def __init__(self, *, operations: Sequence[tuple[str, str, str]], **rules: Any) -> None:
        FakeLearner.made_with = (operations, rules)
        self.known = [OperationKey(*key) for key in operations]
        self.seen: dict[OperationKey, Counter[str]] = {}

    def feed(self, lines: bytes, /) -> int:
        taken = 0
        for line in lines.splitlines():
            row = json.loads(line)
            path, _, query = row["url"].partition("?")
            fitting = [key for key in self.known if (key.method, key.host) == (row["method"], row["host"]) and covers(key.endpoint, path)]
            if fitting:
                self.seen.setdefault(min(fitting, key=lambda key: key.endpoint.count("{")), Counter())[query] += 1
                taken += 1
        return taken

    def operations(self) -> list[tuple[str, str, str]]:
        return [tuple(key) for key in sorted(self.seen)]

    def dump(self, method: str, host: str, endpoint: str, /) -> bytes:
        key = OperationKey(method, host, endpoint)
        return json.dumps([key, sorted(self.seen[key].items())]).encode()

    def load(self, blob: bytes, /) -> None:
        key, counts = json.loads(blob)
        self.seen.setdefault(OperationKey(*key), Counter()).update(dict(counts))

    def profile(self, method: str, host: str, endpoint: str, /) -> str:
        counts = self.seen[OperationKey(method, host, endpoint)]
        names = sorted({pair.partition("=")[0] for query in counts for pair in query.split("&")})
        told = {"method": method, "host": host, "endpoint": endpoint, "requests": sum(counts.values()), "samples": len(counts)}
        ids = {pair.removeprefix("id="): count for query, count in counts.items() for pair in query.split("&") if pair.startswith("id=")}
        omitted = {"application/json": {"present": {}, "node": {"value": {"kinds": {}}, "items": None, "object": None}}}
        return json.dumps(told | {"names": names, "ids": ids, "bodies": omitted if method == "POST" else {}})


@dataclass
class FakeStatistics:
    """Learns the names of query parameters; remembers what it was given."""

    profiles: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    fail_for: str | None = None
    refuse: bool = False
    asked: int = 0

    def learn(self, profile: Mapping[str, Any], relaxed: Collection[str]) -> LearnedOperation:
        self.asked += 1
        key = OperationKey(profile["method"], profile["host"], profile["endpoint"])
        self.profiles[key.endpoint] = profile
        if key.endpoint == self.fail_for:
            raise RuntimeError("with a value of traffic")
        evidence = Evidence(profile["samples"], 1, 1, "seen", 0.0001)
        statements = [Statement(f"query/{name}", "type", "string", evidence) for name in profile["names"]]
        made = [one for one in statements if one.rule not in relaxed]
        told = {"x-hauberk-evidence": [evidence.as_json()]}
        parameters = [{"name": "var1", "in": "path", "required": True, "schema": {"type": "string"}}] if "{" in key.endpoint else []
        parameters += [{"name": one.pointer[6:], "in": "query", "schema": {"type": one.value, **told}} for one in made]
        operation = {"parameters": parameters, "responses": {"2XX": {"description": "Success"}}, "x-hauberk-undeclared-query": "reject"}
        open_ones = (Statement("query", "closed", True, replace(evidence, needs=200)),)
        return LearnedOperation(key, operation, tuple(made) + open_ones, profile["requests"], profile["samples"], 0.0005)

    def write(self, learned: LearnedOperation) -> dict[str, Any]:
        operation = json.loads(json.dumps(learned.operation))
        for parameter in operation["parameters"]:
            parameter["schema"].pop("x-hauberk-evidence", None)
        key = learned.key
        info = {"title": f"Learned schema: {key.host}", "version": "1"}
        servers = [{"url": f"https://{key.host}"}]
        return {"openapi": "3.0.3", "info": info, "servers": servers, "paths": {key.endpoint: {key.method.lower(): operation}}}

    def check(self, source: bytes) -> Mapping[str, Any]:
        if self.refuse:
            return {"ok": False, "problems": [{"severity": "error", "code": 130, "message": "no"}]}
        return _native.check_document(source)

    def parts(self) -> Parts:
        return Parts(FakeLearner, self.learn, self.write, self.check)


def at(hours_ago: int) -> datetime:
    return (this_hour() - hours_ago * HOUR).astimezone(UTC)
