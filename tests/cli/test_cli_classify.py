"""`hauberk classify`, and where what commands write goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hauberk.cli import files

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

CAPTURES = Path(__file__).parents[1] / "traffic" / "captures"


def test_scores_go_on_after_what_standard_output_has_already(tmp_path: Path) -> None:
    # Where it goes to a file, /dev/stdout is a link to an ordinary file: that link must stay, and the file keep what it has.
    before = os.lstat("/dev/stdout")
    scores = tmp_path / "scores.ndjson"
    scores.write_text("first\n")
    with scores.open("ab") as stream:
        command = [sys.executable, "-m", "hauberk.cli", "classify", str(CAPTURES / "chrome.har")]
        subprocess.run(command, stdout=stream, check=True)
    first, *lines = scores.read_text().splitlines()
    assert first == "first"
    assert [json.loads(line)["row"] for line in lines] == [0, 1, 3]
    assert os.lstat("/dev/stdout").st_ino == before.st_ino


def test_a_full_disk_is_told(run: Run) -> None:
    ran = run("classify", CAPTURES / "chrome.har", "-o", "/dev/full", ok=False)
    assert ran.err.splitlines()[-1] == "error: /dev/full: cannot be written: No space left on device"


def test_a_file_is_replaced_once_all_is_read(run: Run) -> None:
    Path("scores.ndjson").write_text("old\n")
    Path("bad").write_bytes(b"\x00\x01")
    run("classify", CAPTURES / "chrome.har", "bad", "-o", "scores.ndjson", ok=False)
    assert Path("scores.ndjson").read_text() == "old\n"
    run("classify", CAPTURES / "chrome.har", "-o", "scores.ndjson")
    assert len(Path("scores.ndjson").read_text().splitlines()) == 3
    assert sorted(path.name for path in Path().iterdir()) == ["bad", "scores.ndjson"]


@pytest.mark.parametrize("command", ["classify", "discover"])
def test_links_are_written_through(run: Run, command: str) -> None:
    Path("linked").write_text("old\n")
    Path("link").symlink_to("linked")
    run(command, CAPTURES / "chrome.har", "-o", "link")
    assert Path("link").is_symlink()
    assert Path("linked").read_text() not in ("", "old\n")


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        files.write(pipe, "text\n", force=True)
        assert os.read(reader, 100) == b"text\n"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
