"""Stand-ins for what discovery reads from and groups with, so that the job around them can be tested by itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hauberk.discovery.sightings import PathRow
from hauberk.operation import normalise_endpoint
from hauberk.template_rule import covers

HOST = "api.example.com"


def row(
    path: str,
    requests: int = 600,
    *,
    method: str = "GET",
    host: str = HOST,
    score: float = 0.9,
    with_session: int = 0,
    first: int | None = None,
) -> PathRow:
    return (host, method, path, requests, score, with_session, first, None)


@dataclass
class FakeTraffic:
    """Gives what it was given."""

    rows: list[PathRow] = field(default_factory=list)
    sample: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[list[str], datetime, datetime]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """Called while it is being read."""

    def hosts(self, since: datetime, until: datetime) -> Iterable[str]:
        return {host for host, *_ in self.rows} | {record["host"] for record in self.sample}

    def paths(self, hosts: Sequence[str], since: datetime, until: datetime) -> Iterable[PathRow]:
        self.asked.append((list(hosts), since, until))
        self.meanwhile()
        return (known for known in self.rows if known[0] in hosts)

    def transactions(self, hosts: Sequence[str], since: datetime, until: datetime, limit: int) -> Iterable[dict[str, Any]]:
        return [record for record in self.sample if record["host"] in hosts][:limit]

    def series(self, hosts: Sequence[str], since: datetime, until: datetime, steps: int, limit: int) -> Iterable[Any]:
        return [(known[0], known[1], known[2], [(0, known[3] - 1), (steps - 1, 1)]) for known in self.rows if known[0] in hosts]

    def of_template(
        self, hosts: Sequence[str], method: str, pattern: str, since: datetime, until: datetime, limit: int
    ) -> list[dict[str, Any]]:
        return [record for record in self.sample if record["host"] in hosts and record["method"] == method][:limit]


class FakeDiscovery:
    """Groups paths by their numbers alone."""

    def __init__(self, max_paths: int) -> None:
        self.max_paths = max_paths
        self.rows: list[PathRow] = []

    def observe(self, rows: list[PathRow], /) -> None:
        self.rows += rows

    def _template(self, host: str, method: str, path: str, rules: dict[str, Any]) -> str:
        for pin in rules["pins"]:
            if pin["host"] == host and pin["method"] in {None, method} and covers(pin["endpoint"], path):
                return str(pin["endpoint"])
        template = normalise_endpoint(re.sub(r"/\d+", "/{n}", path))
        for split in rules["splits"]:
            if (split["host"], split["endpoint"]) == (host, template) and split["method"] in {None, method}:
                return path
        return template

    def operations(self, rules_json: str, /) -> str:
        rules = json.loads(rules_json)
        found: dict[tuple[str, str, str], list[PathRow]] = {}
        for known in self.rows:
            host, method, path = known[:3]
            found.setdefault((method, host, self._template(host, method, path, rules)), []).append(known)
        return json.dumps([self._operation(*key, rows) for key, rows in found.items()])

    def explain(self, host: str, method: str, path: str, rules_json: str, /) -> str | None:
        if not any(known[:2] == (host, method) for known in self.rows):
            return None
        endpoint = self._template(host, method, path, json.loads(rules_json))
        variable = {"text": "{}", "variable": True, "likelihood": 0.98, "distinct_values": 10, "examples": ["1", "11", "2"]}
        segments = [variable | {"reasons": ["its values are numbers", "there are many"]}]
        return json.dumps({"method": method, "host": host, "endpoint": endpoint, "pinned": False, "segments": segments})

    @staticmethod
    def _operation(method: str, host: str, endpoint: str, rows: list[PathRow]) -> dict[str, Any]:
        requests = sum(known[3] for known in rows)
        return {
            "method": method,
            "host": host,
            "endpoint": endpoint,
            "requests": requests,
            "score": sum(known[3] * known[4] for known in rows) / requests,
            "with_session": sum(known[5] for known in rows),
            "distinct_paths": len({known[2] for known in rows}),
            "first_seen": min((known[6] for known in rows if known[6] is not None), default=None),
            "last_seen": int(time.time()),
            "examples": [known[2] for known in rows][:5],
        }
