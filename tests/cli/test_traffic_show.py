"""`hauberk traffic show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

CAPTURES = Path(__file__).parents[1] / "traffic" / "captures"


def test_a_table_shows_what_would_be_kept(run: Run) -> None:
    ran = run("traffic", "show", CAPTURES / "chrome.har", CAPTURES / "nginx-main.log", "--default-host", "shop.example")
    assert "s3cr3t" not in ran.out
    lines = ran.out.splitlines()
    assert lines[0].split() == ["row", "time", "method", "url", "status", "type", "size"]
    assert lines[1].split()[:5] == ["0", "2026-11-22", "10:00:00", "POST", "https://a.example/api/login?next=%2F"]
    assert lines[4].split()[0] == "4"
    assert "shop.example/x.json?api_key=h:" in ran.out
    assert "chrome.har: 3 transactions (har), 1 row without a request\n" in ran.err
    assert "nginx-main.log: 6 transactions (access-log)\n" in ran.err
    assert Path("state/traffic.key").stat().st_mode & 0o777 == 0o600


def test_json_is_the_record_and_hashes_are_the_same_each_time(run: Run) -> None:
    first, second = (run("traffic", "show", CAPTURES / "chrome.har", "--json", "--host", "A.example").out for _ in range(2))
    assert first == second
    records = [json.loads(line) for line in first.splitlines()]
    assert [record["host"] for record in records] == ["a.example", "a.example"]


def test_it_stops_at_the_limit(run: Run) -> None:
    ran = run("traffic", "show", CAPTURES / "mitmproxy.har", "--limit", "2")
    assert len(ran.out.splitlines()) == 3
    assert "Stopped after 2 transactions" in ran.err


@pytest.mark.parametrize("count", [0, 999, 1000, 1001, 2500])
def test_many_rows_are_shown_table_by_table(run: Run, count: int) -> None:
    Path("x.ndjson").write_text('{"host": "a", "method": "GET", "url": "/"}\n' * count + "\n")
    ran = run("traffic", "show", "x.ndjson", "--format", "ndjson", "--limit", "0")
    lines = [line.split()[0] for line in ran.out.splitlines()]
    assert [word for word in lines if word != "row"] == [str(number) for number in range(count)]
    assert [at for at, word in enumerate(lines) if word == "row"] == list(range(0, count + count // 1000, 1001))
    assert ("No transactions." in ran.err) == (count == 0)


def test_bad_lines_are_told_with_their_place(run: Run) -> None:
    line = '{"host": "a", "method": "GET", "url": "/"}\n'
    Path("x.ndjson").write_text(line + "s3cr3t\n" * 7 + line)
    ran = run("traffic", "show", "x.ndjson")
    assert ran.err == (
        "x.ndjson: 2 transactions (ndjson), 7 bad rows\n"
        + "".join(f"  row {row} (line {row + 1}, byte {43 + 7 * (row - 1)}, column 1): not one whole JSON object\n" for row in range(1, 6))
        + "  and 2 more\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.har"], "missing.har: cannot be read"),
        (["text"], "text: the content is in no known format"),
        (["text", "--format", "xml"], "there is no format 'xml'"),
        (["text", "--field", "method"], "is not NAME=MEMBER"),
        (["text", "--field", "verb=x"], "a field is one of client"),
        (["text", "--format", "har", "--field", "method=x"], "for the format json-log alone"),
    ],
)
def test_what_is_wrong_is_said(run: Run, arguments: list[str], message: str) -> None:
    Path("text").write_text("hello\n")
    assert message in run("traffic", "show", *arguments, ok=False).err
