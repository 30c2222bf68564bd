"""Captures of many recorders, read and masked."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hauberk.errors import InvalidCapture
from hauberk.traffic import files

CAPTURES = Path(__file__).parent / "captures"
KEY = bytes(range(32))


def records(file: Path, **options: Any) -> tuple[list[dict[str, Any]], files.FileReport]:
    reports: list[files.FileReport] = []
    found = [json.loads(line) for batch in files.read([file], files.ReadOptions(**options), reports) for _, line in batch]
    return found, reports[0]


@pytest.mark.parametrize(
    ("name", "format_name", "transactions", "skipped"),
    [
        ("chrome.har", "har", 3, 1),
        ("firefox.har", "har", 1, 0),
        ("safari.har", "har", 1, 0),
        ("charles.har", "har", 1, 0),
        ("insomnia.har", "har", 1, 0),
        ("proxyman.har", "har", 1, 0),
        ("mitmproxy.har", "har", 5, 0),
        ("nginx-main.log", "access-log", 6, 0),
        ("nginx-vhost.log", "access-log", 6, 0),
        ("nginx-json.log", "json-log", 6, 0),
    ],
)
def test_each_recorder_is_read_and_no_secret_gets_through(name: str, format_name: str, transactions: int, skipped: int) -> None:
    file = CAPTURES / name
    assert b"s3cr3t" in file.read_bytes() or name == "safari.har"
    found, report = records(file, masking_key=KEY)
    assert (report.format, report.transactions, report.skipped, report.bad, report.cut_short) == (
        format_name,
        transactions,
        skipped,
        0,
        None,
    )
    assert len(found) == transactions
    assert "s3cr3t" not in json.dumps(found)
    assert all(record["host"] and record["method"] and record["url"] for record in found)


def test_what_chrome_writes() -> None:
    login, socket, blocked = records(CAPTURES / "chrome.har")[0]
    assert login["host"] == "a.example"
    assert login["http_version"] == "HTTP/2"
    assert login["resource_type"] == "fetch"
    assert login["request_headers"] == [["content-type", "application/json"]]
    assert login["response_body"] == '{"token":"s3cr3t"}'
    assert (socket["status"], socket["resource_type"]) == (101, "websocket")
    assert (blocked["status"], blocked["http_version"]) == (0, None)


def test_what_others_list_apart_or_leave_out() -> None:
    (firefox,), (charles,), (insomnia,) = (records(CAPTURES / f"{name}.har")[0] for name in ("firefox", "charles", "insomnia"))
    assert ["Cookie", "sid=s3cr3t"] in firefox["request_headers"]
    assert charles["request_body"] == "user=ann&password=s3cr3t"
    assert insomnia["url"] == "https://a.example/search?q=a%20b"


def test_nginx_tells_the_same_in_each_of_its_formats() -> None:
    def told(record: dict[str, Any]) -> tuple[Any, ...]:
        return record["method"], record["url"].removeprefix("http://127.0.0.1:18931"), record["status"], record["response_body_size"]

    main, vhost, lines = (
        [told(record) for record in records(CAPTURES / f"nginx-{name}")[0]] for name in ("main.log", "vhost.log", "json.log")
    )
    assert main == vhost == lines
    assert records(CAPTURES / "nginx-vhost.log")[0][0]["host"] == "127.0.0.1:18931"


def test_equal_secrets_stay_equal_under_one_key() -> None:
    def login(key: bytes) -> Any:
        return records(CAPTURES / "chrome.har", masking_key=key)[0][0]

    one, other = login(KEY), login(bytes(32))
    password = json.loads(one["request_body"])["password"]
    assert json.loads(one["response_body"])["token"] == password
    assert password.startswith("h:")
    assert json.loads(other["request_body"])["password"] != password


def test_rows_are_counted_on_over_all_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.ndjson", tmp_path / "two.ndjson.gz"
    line = '{"host": "a", "method": "GET", "url": "/%d"}'
    one.write_text("\n".join([line % 0, "broken", "", line % 3]) + "\n")
    two.write_bytes(gzip.compress((line % 4 + "\n").encode()))
    reports: list[files.FileReport] = []
    rows = [(row, json.loads(text)["url"]) for batch in files.read([one, two], reports=reports) for row, text in batch]
    assert rows == [(0, "/0"), (3, "/3"), (4, "/4")]
    assert str(reports[0].first_bad[0]) == "row 1 (line 2, byte 44, column 1): not one whole JSON object"
    assert (reports[0].skipped, reports[1].rows) == (1, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"hello\n", "in no known format"), (None, "No such file")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "capture"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidCapture, match=f"{file}.*{message}"):
        records(file)


def test_flow_files_name_the_package_that_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitmproxy", None)
    with pytest.raises(InvalidCapture, match=r"the Python package 'mitmproxy'.*hardump"):
        records(CAPTURES / "mitmproxy.flows")


def test_flow_files_tell_what_mitmproxys_har_tells() -> None:
    pytest.importorskip("mitmproxy")
    flows, report = records(CAPTURES / "mitmproxy.flows", masking_key=KEY)
    hars, _ = records(CAPTURES / "mitmproxy.har", masking_key=KEY)
    assert (report.format, report.transactions) == ("mitmproxy", 5)
    for flow, har in zip(flows, hars, strict=True):
        assert {name: flow[name] for name in ("host", "method", "url", "status")} == {
            name: har[name] for name in ("host", "method", "url", "status")
        }


def test_a_large_archive_takes_little_memory(tmp_path: Path) -> None:
    """Measured in a process of its own: what reading adds, at most 50 MB for 200 MB."""
    file = tmp_path / "large.har"
    entry = json.loads((CAPTURES / "chrome.har").read_text())["log"]["entries"][0]
    entry["response"]["content"] = {"mimeType": "text/html", "size": 50_000, "text": "<p>é\\n" * 10_000}
    text = json.dumps(entry)
    count = 200_000_000 // len(text)
    with file.open("w") as stream:
        stream.write('{"log":{"entries":[')
        stream.writelines(f"{text}," for _ in range(count))
        stream.write(text + "]}}")
    program = (
        "import resource, sys; from pathlib import Path; from hauberk.traffic import files\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "options = files.ReadOptions(masking_key=bytes(32)); before = peak()\n"
        "count = sum(len(batch.rows) for batch in files.read([Path(sys.argv[1])], options))\n"
        "print(count, (peak() - before) // 1024)"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
    found, megabytes = map(int, ran.stdout.split())
    assert found == count + 1
    assert megabytes < 50
