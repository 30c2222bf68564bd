"""How large a packed capture is, told before it is read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from hauberk.errors import InvalidCapture
from hauberk.traffic.unpacking import CHUNK_BYTES, check_unpacked, packing

SIZE = 3 * CHUNK_BYTES
ZEROS = bytes(SIZE)


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


@pytest.mark.parametrize(
    ("content", "how"),
    [
        (b"", None),
        (b"{}", None),
        (gzip.compress(ZEROS, mtime=0), "gzip"),
        (zstd(ZEROS), "zstd"),
        (b"\x50\x2a\x4d\x18\x01\x00\x00\x00x" + zstd(ZEROS), "zstd"),
        (gzip.compress(ZEROS[: SIZE // 2], mtime=0) + gzip.compress(ZEROS[: SIZE // 2], mtime=0), "gzip"),
        (zstd(ZEROS[: SIZE // 2]) + zstd(ZEROS[: SIZE // 2]), "zstd"),
    ],
)
def test_all_of_it_is_counted(tmp_path: Path, content: bytes, how: str | None) -> None:
    file = tmp_path / "capture"
    file.write_bytes(content)
    told: list[int] = []
    assert packing(file) == how
    check_unpacked(file, SIZE, lambda: told.append(1))
    assert bool(told) is (how is not None)
    if how is not None:
        with pytest.raises(InvalidCapture, match=f"more than {SIZE - 1} bytes"):
            check_unpacked(file, SIZE - 1, lambda: None)


@pytest.mark.parametrize("content", [gzip.compress(ZEROS, mtime=0)[:-20], zstd(ZEROS)[:-5], b"\x1f\x8bgarbage", b"\x28\xb5\x2f\xfdgarbage"])
def test_a_damaged_one_is_left_to_its_reader(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "capture"
    file.write_bytes(content)
    check_unpacked(file, 2 * SIZE, lambda: None)


def test_it_can_be_stopped(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    file = tmp_path / "capture"
    file.write_bytes(gzip.compress(ZEROS))
    with pytest.raises(Stopped):
        check_unpacked(file, SIZE, stop)
