"""`hauberk classify`: a line for each transaction, in the order of the input, wherever it is written."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

CAPTURES = Path(__file__).parents[1] / "traffic" / "captures"


def line(path: str, **members: Any) -> str:
    row = {"host": "api.example.com", "method": "GET", "url": f"https://api.example.com{path}", "status": 200}
    return json.dumps(row | {"response_content_type": "application/json"} | members)


CALL = line("/v1/users/4711", request_headers=[["Accept", "application/json"], ["Authorization", "Bearer x"]])
PICTURE = line("/logo.png", response_content_type="image/png", request_headers=[["Accept", "image/*"], ["Sec-Fetch-Dest", "image"]])


def scores(text: str) -> list[tuple[int, bool]]:
    rows = [json.loads(line) for line in text.splitlines()]
    assert all(list(row) == ["row", "score", "api"] and 0 <= row["score"] <= 1 for row in rows)
    return [(row["row"], row["api"]) for row in rows]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ([[CALL, PICTURE]], [(0, True), (1, False)]),
        ([[PICTURE, "s3cr3t", "{", CALL]], [(0, False), (3, True)]),
        ([[CALL, "", PICTURE]], [(0, True), (2, False)]),
        ([[CALL, "s3cr3t"], [PICTURE, CALL]], [(0, True), (2, False), (3, True)]),
        ([[CALL], [PICTURE], [CALL]], [(0, True), (1, False), (2, True)]),
    ],
    ids=["one file", "bad lines keep their number", "so do blank ones", "numbers go on in the next file", "three files"],
)
def test_rows_are_numbered_over_all_files(run: Run, files: list[list[str]], wanted: list[tuple[int, bool]]) -> None:
    names = [f"{number}.ndjson" for number, _ in enumerate(files)]
    for name, lines in zip(names, files, strict=True):
        Path(name).write_text("\n".join(lines) + "\n")
    ran = run("classify", *names, "-o", "scores.ndjson")
    assert ran.out == ""
    assert scores(Path("scores.ndjson").read_text()) == wanted
    assert f"{len(wanted)} transactions, {sum(api for _, api in wanted)} of them look like API calls; written to scores.ndjson" in ran.err
    assert "s3cr3t" not in ran.err
    assert scores(run("classify", *names).out) == wanted


def test_the_threshold_is_the_callers_to_choose(run: Run) -> None:
    Path("x.ndjson").write_text(f"{CALL}\n{PICTURE}\n")
    assert [api for _, api in scores(run("classify", "x.ndjson", "--threshold", "0").out)] == [True, True]
    assert [api for _, api in scores(run("classify", "x.ndjson", "--threshold", "1").out)] == [False, False]


@pytest.mark.parametrize("name", ["chrome.har", "mitmproxy.har", "nginx-main.log", "nginx-json.log"])
def test_each_kind_of_capture_is_scored(run: Run, name: str) -> None:
    ran = run("classify", CAPTURES / name)
    assert len(scores(ran.out)) == int(ran.err.splitlines()[-1].split()[0])


def hauberk(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "hauberk.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, **options)


def test_standard_output_is_written_to_whatever_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text(f"{CALL}\n")
    before = Path("/dev/stdout").readlink()
    piped = hauberk("classify", "x.ndjson", cwd=tmp_path, stdout=subprocess.PIPE).stdout
    assert scores(piped.decode()) == [(0, True)]
    file = tmp_path / "scores"
    for output in ("-", "/dev/stdout"):
        file.write_text("kept\n")
        with file.open("ab") as stream:
            assert hauberk("classify", "x.ndjson", "-o", output, cwd=tmp_path, stdout=stream).returncode == 0
        assert file.read_bytes() == b"kept\n" + piped
    assert hauberk("classify", "-", cwd=tmp_path, stdout=subprocess.PIPE, input=gzip.compress(CALL.encode())).stdout == piped
    assert Path("/dev/stdout").readlink() == before


def test_whoever_reads_along_may_stop(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text(f"{CALL}\n" * 20_000)
    reading, writing = os.pipe()
    os.close(reading)
    ran = hauberk("classify", "x.ndjson", cwd=tmp_path, stdout=writing)
    os.close(writing)
    assert b"error" not in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_a_link_is_written_through_and_a_pipe_stays_one(run: Run) -> None:
    Path("x.ndjson").write_text(f"{CALL}\n")
    Path("real").write_text("old")
    Path("link").symlink_to("real")
    run("classify", "x.ndjson", "-o", "link")
    assert Path("link").is_symlink()
    assert scores(Path("real").read_text()) == [(0, True)]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["x.ndjson", "missing.har"], 1, "missing.har: cannot be read"),
        (["x.ndjson", "text"], 1, "text: the content is in no known format"),
        (["."], 1, ".: is a folder"),
        (["x.ndjson", "--format", "xml"], 2, "there is no format 'xml'"),
        (["x.ndjson", "--threshold", "1.5"], 2, "--threshold"),
        ([], 2, "missing argument 'FILE...'"),
    ],
)
def test_an_error_leaves_what_is_there_and_nothing_else(run: Run, arguments: list[str], status: int, message: str) -> None:
    Path("x.ndjson").write_text(f"{CALL}\n")
    Path("text").write_text("hello\n")
    Path("scores.ndjson").write_text("old")
    before = sorted(Path().iterdir())
    ran = run("classify", *arguments, "-o", "scores.ndjson", ok=False)
    assert ran.status == status
    assert message in ran.err
    assert Path("scores.ndjson").read_text() == "old"
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("target", ["nowhere/scores", "folder"])
def test_a_target_that_cannot_be_written_is_told(run: Run, target: str) -> None:
    Path("x.ndjson").write_text(f"{CALL}\n")
    Path("folder").mkdir()
    assert f"{target}: cannot be written" in run("classify", "x.ndjson", "-o", target, ok=False).err
