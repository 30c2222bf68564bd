"""The snapshot's bytes: what was damaged is found, what was stored is whole."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.errors import SnapshotRefused, StorageError
from hauberk.snapshot.copy import SnapshotCopy
from hauberk.snapshot.document import decode, encode

CONTENT: dict[str, Any] = {"zones": [], "schemas": [], "name": "Übermut"}


def test_decoding_gives_back_what_was_encoded() -> None:
    snapshot = encode(7, CONTENT)
    assert decode(snapshot.data) == snapshot
    assert snapshot.data.startswith(b"hauberk-snapshot 1 7 ")


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_any_changed_byte_of_the_content_is_found(place: int, value: int) -> None:
    data = bytearray(encode(7, CONTENT).data)
    start = data.index(b"\n") + 1
    place = start + place % (len(data) - start)
    if data[place] == value:
        return
    data[place] = value
    with pytest.raises(SnapshotRefused, match="damaged"):
        decode(bytes(data))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_snapshot_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotRefused):
        decode(data)


def test_another_format_is_refused_by_its_number() -> None:
    data = encode(7, CONTENT).data.replace(b"hauberk-snapshot 1 ", b"hauberk-snapshot 2 ")
    with pytest.raises(SnapshotRefused, match="format 2"):
        decode(data)


def test_the_copy_is_private_and_whole(tmp_path: Path) -> None:
    copy = SnapshotCopy(tmp_path / "state" / "snapshot")
    assert copy.load() is None
    copy.store(encode(1, CONTENT))
    copy.store(encode(2, CONTENT))
    assert copy.load() == encode(2, CONTENT)
    assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
    assert [path.name for path in copy.path.parent.iterdir()] == ["snapshot"]


def test_a_full_disk_leaves_the_older_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = SnapshotCopy(tmp_path / "snapshot")
    copy.store(encode(1, CONTENT))

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        copy.store(encode(2, CONTENT))
    monkeypatch.undo()
    assert copy.load() == encode(1, CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]


def test_a_damaged_copy_is_told_with_its_place(tmp_path: Path) -> None:
    copy = SnapshotCopy(tmp_path / "snapshot")
    copy.path.write_bytes(encode(1, CONTENT).data[:-3])
    with pytest.raises(SnapshotRefused, match=r"snapshot: .*damaged"):
        copy.load()
