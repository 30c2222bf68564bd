"""Reading the recorded traffic of real clients, browsers and servers, for tests that judge by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa


def lines_of(file: Path) -> list[bytes]:
    """Read a recording's rows, one a line."""
    with pa.CompressedInputStream(pa.OSFile(str(file)), "zstd") as stream:
        return [line for line in stream.read().split(b"\n") if line]


def rows_of(file: Path) -> Iterator[dict[str, Any]]:
    """Read a recording's rows."""
    return (json.loads(line) for line in lines_of(file))
