"""
The snapshot's bytes, the same on the wire and on disk: one header line, then JSON.

    hauberk-snapshot 1 <version> <SHA-256 of what follows the line, hex>
    {"format": 1, "version": …, …}

The digest finds what was cut short or damaged on the way or on disk; a gateway checks the content besides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hauberk.errors import SnapshotRefused

MAGIC = b"hauberk-snapshot"
FORMAT = 1


@dataclass(frozen=True)
class Snapshot:
    """A snapshot, encoded."""

    version: int
    data: bytes

    @property
    def etag(self) -> str:
        """Tag for conditional requests: equal tags mean equal bytes."""
        return '"' + self.data[: self.data.index(b"\n")].rsplit(b" ", 1)[1].decode() + '"'


def encode(version: int, content: Mapping[str, Any]) -> Snapshot:
    """Encode a snapshot's content, which must be JSON."""
    body = json.dumps({"format": FORMAT, "version": version, **content}, separators=(",", ":"), ensure_ascii=False).encode()
    header = b"%s %d %d %s\n" % (MAGIC, FORMAT, version, hashlib.sha256(body).hexdigest().encode())
    return Snapshot(version, header + body)


def decode(data: bytes) -> Snapshot:
    """
    Check a snapshot's header and digest.

    Raises:
        SnapshotRefused: If it is not a snapshot of this format, or damaged.
    """
    header, newline, body = data.partition(b"\n")
    parts = header.split(b" ")
    if not newline or len(header) > 200 or len(parts) != 4 or parts[0] != MAGIC or not parts[1].isdigit() or not parts[2].isdigit():
        raise SnapshotRefused("this is not a snapshot: its first line must be 'hauberk-snapshot FORMAT VERSION DIGEST'")
    if int(parts[1]) != FORMAT:
        raise SnapshotRefused(f"the snapshot has format {int(parts[1])}; this gateway reads format {FORMAT}")
    if hashlib.sha256(body).hexdigest().encode() != parts[3]:
        raise SnapshotRefused(f"snapshot {int(parts[2])} is damaged: its digest does not match its content")
    return Snapshot(int(parts[2]), data)
