"""Learned, exported, uploaded as anybody's document: by our own gateway's judgement the requests it was learned from pass, all of them."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from conftest import require_tool
from hauberk import _native
from hauberk.learning import documents, learn
from installation import Installation, installation

HOST = "api.github.com"
SETTINGS = f"""
[[zones]]
name = "github.com"
[[zones.hosts]]
name = "{HOST}"
upstreams = ["http://127.0.0.1:9000"]
"""
# They belong to one connection, or are made by the client that sends.
NOT_SENT = {"host", "connection", "content-length", "transfer-encoding", "expect", "keep-alive"}


def requests_of(recordings: Path) -> list[dict[str, Any]]:
    """Read the recorded requests that succeeded and whose operation is known."""
    require_tool("zstd")
    command = [str(shutil.which("zstd")), "-dc", str(recordings / "octokit-rb.ndjson.zst")]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["host"] == HOST and 200 <= row["status"] < 300 and row.get("template")]
    # An encoded slash is refused whatever a document says: an origin may read another path.
    return [row for row in rows if "%2f" not in urlsplit(row["url"]).path.lower()]


def endpoint_of(template: str) -> str:
    numbers = iter(range(1, 100))
    return re.sub(r"\{[^{}/]*\}", lambda _: f"{{var{next(numbers)}}}", template)


def body_of(row: dict[str, Any]) -> bytes | None:
    if row.get("request_body_b64"):
        return base64.b64decode(row["request_body_b64"])
    return row["request_body"].encode() if row.get("request_body") else None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, SETTINGS) as site:
        yield site


def replay(site: Installation, rows: list[dict[str, Any]]) -> Counter[tuple[int, str]]:
    """Send recorded requests, headers and bodies as they are; count statuses, of the refused with what was said."""
    counted: Counter[tuple[int, str]] = Counter()
    connection = http.client.HTTPConnection(site.gateway, timeout=30)
    for row in rows:
        parts, body = urlsplit(row["url"]), body_of(row)
        connection.putrequest(
            row["method"], parts.path + (f"?{parts.query}" if parts.query else ""), skip_host=True, skip_accept_encoding=True
        )
        connection.putheader("Host", HOST)
        for name, value in row["request_headers"]:
            if name.lower() not in NOT_SENT:
                connection.putheader(name, value.encode("latin-1", "replace"))
        if body is not None or row["method"] in {"POST", "PUT", "PATCH"}:
            connection.putheader("Content-Length", str(len(body or b"")))
        connection.endheaders(body)
        answer = connection.getresponse()
        told = answer.read().decode()
        counted[answer.status, "" if answer.status < 300 else f"{row['method']} {row['template']}: {told}"] += 1
    connection.close()
    return counted


def test_the_round_trip_of_recorded_traffic(site: Installation, recordings: Path) -> None:
    rows = requests_of(recordings)
    assert len(rows) > 1000
    keys = sorted({(row["method"], HOST, endpoint_of(row["template"])) for row in rows})
    learner = _native.Learner(operations=keys, session_identifiers=[], only="all", trusted=[], held_back=False)
    learner.feed(b"\n".join(json.dumps(row).encode() for row in rows))
    learned = [learn(json.loads(learner.profile(*key))) for key in learner.operations()]
    ((host, exported),) = documents(learned)
    assert host == HOST
    (site.folder / "learned.json").write_text(json.dumps(exported))
    site.run("hauberk schema upload learned.json --action block && hauberk status --wait")

    with httpx.Client(base_url=site.control_plane, headers={"Authorization": f"Bearer {site.token}"}, timeout=30) as client:
        (zone,) = client.get("/client/v4/zones").raise_for_status().json()["result"]
        saved = client.get(f"/client/v4/zones/{zone['id']}/api_gateway/operations", params={"per_page": 5000}).raise_for_status().json()
    assert len(saved["result"]) == len(learned)

    statuses = replay(site, rows)
    assert {status for status, _ in statuses} <= {200, 201}, statuses.most_common(5)
    assert statuses.total() == len(rows)
    # And it is enforced: what stands in a path as names and numbers is no text of any kind.
    odd = [row | {"url": f"{row['url']}%27%20OR%20%271%27=%271"} for row in rows if row["template"].endswith("}") and "?" not in row["url"]]
    refused = sum(count for (status, _), count in replay(site, odd).items() if status == 403)
    assert refused > len(odd) / 2
