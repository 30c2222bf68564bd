"""Captures imported over REST: what comes in, what is left out, and that what is cancelled or damaged leaves nothing."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import HOST_NAME, LiveControlPlane, eventually, serve_control_plane
from hauberk import capture_imports, capture_reading
from hauberk.capture_imports import Sent
from hauberk.storage.models import Zone
from hauberk.traffic.staging import StagedRows

CAPTURES = Path(__file__).parents[1] / "traffic" / "captures"


def lines(count: int, host: str = HOST_NAME, **members: Any) -> bytes:
    record = {"method": "GET", "status": 200, "time": "2026-11-22T10:00:00Z", "request_headers": [["Authorization", "Bearer s3cr3t"]]}
    rows = ({**record, "host": host, "url": f"https://{host}/users/{number}", **members} for number in range(count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture
def client(control_plane: LiveControlPlane) -> Iterator[httpx.Client]:
    with control_plane.client() as client:
        client.base_url = httpx.URL(f"{control_plane.base_url}/hauberk/v1/zones/{control_plane.zone_id}/traffic/")
        yield client


def ended(client: httpx.Client, import_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def is_over() -> bool:
        found.update(client.get(f"imports/{import_id}").json()["result"])
        return found["state"] not in {"waiting", "running"}

    eventually(is_over)
    return found


def sent(client: httpx.Client, content: bytes, **query: str) -> dict[str, Any]:
    answer = client.post("imports", content=content, params=query)
    assert answer.status_code == 202, answer.text
    return ended(client, answer.json()["result"]["id"])


def segments(live: LiveControlPlane) -> list[str]:
    return [segment.path for segment in live.plane.traffic.folder.segments()]


def left_behind(live: LiveControlPlane) -> list[str]:
    folder = live.plane.settings.state_dir / "imports"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_capture_is_imported_with_its_secrets_masked(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    done = sent(client, lines(1200) + b"garbage\n" + lines(7, "cdn.elsewhere.test"), name="a day.ndjson")
    assert (done["state"], done["error"], done["phase"]) == ("done", None, None)
    assert (done["name"], done["format"], done["transactions"]) == ("a day.ndjson", "ndjson", 1200)
    assert done["left_out"] == {"unreadable": 1, "no_request": 0, "other_hosts": 7}
    assert done["first_unreadable"][0]["row"] == 1200
    assert (done["hosts"], done["hosts_left_out"]) == ({HOST_NAME: 1200}, {"cdn.elsewhere.test": 7})
    assert done["bytes_read"] == done["bytes"]
    assert done["first_hour"] == done["last_hour"] == "2026-11-22T10:00:00+00:00"
    rows = control_plane.plane.traffic.sample(limit=5000)
    assert len(rows) == 1200
    assert all(row["session"] and row["score"] is not None for row in rows)
    assert "s3cr3t" not in str(rows)
    eventually(lambda: left_behind(control_plane) == [])
    assert client.get("imports").json()["result"] == [done]


def test_a_form_does_as_well(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    log = (CAPTURES / "nginx-main.log").read_bytes()
    files = {"file": ("C:\\access.log", gzip.compress(log))}
    answer = client.post("imports", data={"format": "access-log", "default_host": HOST_NAME.upper(), "other": "x"}, files=files)
    assert answer.status_code == 202, answer.text
    done = ended(client, answer.json()["result"]["id"])
    assert (done["state"], done["default_host"]) == ("done", HOST_NAME)
    assert done["hosts"] == {HOST_NAME: done["transactions"]}
    assert done["name"].endswith("access.log")


@pytest.mark.parametrize(
    ("content", "query", "error"),
    [
        (b"no capture at all", {}, "format"),
        (bytes(range(256)) * 16, {}, "format"),
        (gzip.compress(b"\0" * 3_000_000, mtime=0), {}, "unpacks to more than 2000000 bytes"),
        (gzip.compress(lines(100), mtime=0)[:50], {}, None),
        (b"{}\n[]\nnull\n" + b"\xff\xfe\n", {"format": "ndjson"}, None),
        (b'{"log": {"entries": [', {"format": "har"}, None),
    ],
)
def test_what_is_no_good_leaves_the_store_as_it_was(state_dir: Path, content: bytes, query: dict[str, str], error: str | None) -> None:
    with serve_control_plane(state_dir, traffic={"max_import_bytes": 2_000_000}) as live, live.client() as client:
        client.base_url = httpx.URL(f"{live.base_url}/hauberk/v1/zones/{live.zone_id}/traffic/")
        told = sent(client, content, **query)
        if error is not None:
            assert told["state"] == "failed"
            assert error in told["error"]
            assert "imports/" not in told["error"]
        assert told["transactions"] == 0
        assert segments(live) == []
        eventually(lambda: left_behind(live) == [])
        assert sent(client, lines(3))["transactions"] == 3


def test_what_cannot_be_taken_is_told_at_once(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    bad: list[tuple[int, str, httpx.Response]] = [
        (400, "empty", client.post("imports", content=b"")),
        (400, "format must be", client.post("imports", content=b"x", params={"format": "pcap"})),
        (400, "default_host must be a name at or below", client.post("imports", content=b"x", params={"default_host": "elsewhere.test"})),
        (400, "default_host", client.post("imports", files={"file": b"x"}, data={"default_host": "a b"})),
        (400, "no field 'file'", client.post("imports", files={"other": b"x"})),
        (400, "more than one field", client.post("imports", files=[("file", b"x"), ("file", b"y")])),
        (400, "cannot be read", client.post("imports", content=b"nonsense", headers=form)),
        (
            400,
            "ends before its end",
            client.post("imports", content=b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc', headers=form),
        ),
        (400, "no boundary", client.post("imports", content=b"x", headers={"Content-Type": "multipart/form-data"})),
        (404, "no zone", client.post(f"{control_plane.base_url}/hauberk/v1/zones/none/traffic/imports", content=b"x")),
        (404, "no import", client.get("imports/none")),
        (404, "no import", client.delete("imports/none")),
    ]
    for status, part, answer in bad:
        assert answer.status_code == status, (part, answer.text)
        assert part in answer.json()["errors"][0]["message"]
    eventually(lambda: left_behind(control_plane) == [])
    assert client.get("imports").json()["result"] == []


def test_a_capture_may_be_larger_than_other_bodies_but_has_a_limit_too(state_dir: Path) -> None:
    small = {"max_upload_bytes": 2000}
    with serve_control_plane(state_dir, control_plane=small, traffic={"max_import_bytes": 100_000}) as live, live.client() as client:
        client.base_url = httpx.URL(f"{live.base_url}/hauberk/v1/zones/{live.zone_id}/traffic/")
        assert sent(client, lines(300))["transactions"] == 300
        for body in (b"x" * 200_000, b"x" * 110_000, iter([b"x" * 60_000] * 4)):
            answer = client.post("imports", content=body)
            assert answer.status_code == 413
            assert "traffic.max_import_bytes" in answer.json()["errors"][0]["message"]
        assert client.post("../discovery/templates", content=b"x" * 3000).status_code == 413
        eventually(lambda: left_behind(live) == [])


def test_a_reader_may_look_and_nothing_else(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    done = sent(client, lines(1))
    made = client.post(f"{control_plane.base_url}/hauberk/v1/tokens", json={"name": "r", "scope": "read"}).json()["result"]
    client.headers["Authorization"] = f"Bearer {made['token']}"
    assert client.get("imports").status_code == client.get(f"imports/{done['id']}").status_code == 200
    assert client.post("imports", content=lines(1)).status_code == client.delete(f"imports/{done['id']}").status_code == 403


def test_a_cancelled_import_leaves_the_store_as_it_was(
    control_plane: LiveControlPlane, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_reading, "TELL_SECONDS", 0.0)
    before = sent(client, lines(5))
    stored = segments(control_plane)
    ids = [client.post("imports", content=lines(60_000)).json()["result"]["id"] for _ in range(3)]
    eventually(lambda: client.get(f"imports/{ids[0]}").json()["result"]["bytes_read"] > 0)
    for import_id in ids:
        answer = client.delete(f"imports/{import_id}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["result"]["state"] == "cancelled"
    eventually(lambda: left_behind(control_plane) == [])
    assert segments(control_plane) == stored
    assert [client.get(f"imports/{import_id}").json()["result"]["state"] for import_id in ids] == ["cancelled"] * 3
    for import_id in (ids[0], before["id"]):
        assert client.delete(f"imports/{import_id}").status_code == 409
    assert sent(client, lines(2))["state"] == "done"


def test_who_leaves_while_sending_is_no_fault_of_ours(control_plane: LiveControlPlane, caplog: pytest.LogCaptureFixture) -> None:
    path = f"/hauberk/v1/zones/{control_plane.zone_id}/traffic/imports?name=half.ndjson"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {control_plane.token}\r\nContent-Length: 1000000\r\n\r\n"
    host, _, port = control_plane.address.partition(":")
    with socket.create_connection((host, int(port))) as leaver:
        leaver.sendall(head.encode() + b"{" * 1000)
        eventually(lambda: bool(left_behind(control_plane)))
    eventually(lambda: not left_behind(control_plane))
    assert "request failed" not in caplog.text


def test_only_so_many_wait(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    imports = control_plane.plane.imports
    taken = [imports.new_file() for _ in range(capture_imports.MAX_WAITING)]
    assert {oct(file.stat().st_mode & 0o777) for _, file in taken} == {"0o600"}
    answer = client.post("imports", content=lines(1))
    assert (answer.status_code, "wait to be imported" in answer.text) == (409, True)
    for import_id, _ in taken:
        imports.discard(import_id)
    assert sent(client, lines(1))["state"] == "done"


def test_a_zone_that_is_deleted_takes_its_imports_with_it(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    zones = f"{control_plane.base_url}/hauberk/v1/zones"
    zone = client.post(zones, json={"name": "gone.test"}).json()["result"]
    assert client.post(f"{zones}/{zone['id']}/traffic/imports", content=lines(60_000, "gone.test")).status_code == 202
    with control_plane.plane.database.write() as session:
        session.delete(session.get_one(Zone, zone["id"]))
    eventually(lambda: left_behind(control_plane) == [])
    assert sent(client, lines(1))["state"] == "done"


def waiting(live: LiveControlPlane) -> tuple[str, StagedRows]:
    """Leave an import as a control plane does that is killed while it is at it."""
    import_id, file = live.plane.imports.new_file()
    file.write_bytes(lines(10))
    staged = StagedRows(file.parent)
    assert staged.store(import_id).import_rows(lines(10).splitlines()) == 10
    with live.plane.database.write() as session:
        session.add(capture_imports.CaptureImport(id=import_id, zone_id=live.zone_id, name="x", state="running", phase="reading", bytes=1))
    return import_id, staged


def test_a_control_plane_that_was_killed_leaves_nothing(state_dir: Path) -> None:
    with serve_control_plane(state_dir) as live:
        unfinished, _ = waiting(live)
        complete, staged = waiting(live)
        staged.complete()
        staged.publish(live.plane.traffic.folder)
    with serve_control_plane(state_dir) as live, live.client() as client:
        client.base_url = httpx.URL(f"{live.base_url}/hauberk/v1/zones/{live.zone_id}/traffic/")
        assert len(left_behind(live)) == 2
        live.plane.imports.start()
        eventually(lambda: left_behind(live) == [])
        told = client.get(f"imports/{unfinished}").json()["result"]
        assert (told["state"], told["error"]) == ("failed", capture_imports.GONE)
        assert client.get(f"imports/{complete}").json()["result"]["state"] == "done"
        assert len(live.plane.traffic.sample(limit=100)) == 10, "what was complete is there once, however often it was moved"


def test_a_store_that_cannot_be_written_keeps_no_half(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    store = Path(control_plane.plane.settings.traffic_store)
    store.mkdir()
    (store / "host=b.example.com").write_text("a file where a folder should be")
    told = sent(client, lines(5) + lines(5, "b.example.com"))
    assert told["state"] == "failed"
    assert "cannot be written" in told["error"]
    assert segments(control_plane) == []


def test_an_import_that_stopped_was_not_kept(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    import_id, file = control_plane.plane.imports.new_file()
    file.write_bytes(lines(100_000))
    control_plane.plane.imports.submit(import_id, Sent(control_plane.zone_id, "x"))
    control_plane.plane.imports.stop()
    told = client.get(f"imports/{import_id}").json()["result"]
    assert (told["state"], segments(control_plane), left_behind(control_plane)) == ("failed", [], [])
