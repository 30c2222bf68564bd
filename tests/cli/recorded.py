"""The recorded traffic of real clients, browsers and servers, for tests that judge by it. It is no part of the repository."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from conftest import missing


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recordings: `HAUBERK_DATA`, or `../shared/data` beside the repository; below it `traffic/`."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("HAUBERK_DATA") or beside) / "traffic"
    if not (folder / "INDEX.json").exists():
        missing(f"no recorded traffic in {folder}; set HAUBERK_DATA")
    return folder


def lines_of(file: Path) -> list[bytes]:
    """Read a recording's rows, one a line."""
    with pa.CompressedInputStream(pa.OSFile(str(file)), "zstd") as stream:
        return [line for line in stream.read().split(b"\n") if line]


def rows_of(file: Path) -> Iterator[dict[str, Any]]:
    """Read a recording's rows."""
    return (json.loads(line) for line in lines_of(file))
