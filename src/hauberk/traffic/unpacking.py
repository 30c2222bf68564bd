"""How large a packed capture is when it is unpacked, told before anything is made of it: a small file may unpack to any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from hauberk.errors import InvalidCapture

CHUNK_BYTES = 4 * 2**20

# As `crates/traffic/src/read/unpack.rs` tells them; a zstd file may begin with a frame to be skipped.
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPED = b"\x2a\x4d\x18"


def packing(file: Path) -> str | None:
    """Tell whether a file is packed by `gzip` or `zstd`, as readers of captures do."""
    with file.open("rb") as stream:
        magic = stream.read(4)
    if magic.startswith(_GZIP):
        return "gzip"
    is_zstd = magic == _ZSTD or (len(magic) == len(_ZSTD) and magic[0] & 0xF0 == 0x50 and magic[1:] == _ZSTD_SKIPPED)
    return "zstd" if is_zstd else None


def check_unpacked(file: Path, max_bytes: int, told: Callable[[], None]) -> None:
    """
    Unpack a file to nowhere, if it is packed. A damaged one passes: reading it will tell where.

    Args:
        file: The capture.

        max_bytes: How large it may be, unpacked.

        told: Called now and then; what it raises ends the work.

    Raises:
        InvalidCapture: If it is larger.
    """
    how = packing(file)
    if how is None:
        return
    unpacked = 0
    with pa.OSFile(str(file)) as packed, pa.CompressedInputStream(packed, how) as stream:
        while chunk := _next(stream):
            unpacked += len(chunk)
            if unpacked > max_bytes:
                raise InvalidCapture(f"it unpacks to more than {max_bytes} bytes; the setting is traffic.max_import_bytes")
            told()


def _next(stream: pa.CompressedInputStream) -> bytes:
    try:
        return bytes(stream.read(CHUNK_BYTES))
    except (OSError, pa.ArrowException):
        return b""
