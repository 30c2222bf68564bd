"""The key of traffic in the state folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hauberk.errors import StorageError
from hauberk.traffic.masking_key import KEY_FILE, masking_key


def test_it_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    key = masking_key(folder)
    assert len(key) == 32
    assert masking_key(folder) == key
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in folder.iterdir()] == [KEY_FILE]


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(masking_key, [tmp_path] * 64))) == 1


@pytest.mark.parametrize(("content", "mode", "message"), [(bytes(32), 0o644, "may be read by others"), (b"short", 0o600, "is damaged")])
def test_one_that_is_wrong_is_refused_and_stays(tmp_path: Path, content: bytes, mode: int, message: str) -> None:
    file = tmp_path / KEY_FILE
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(StorageError, match=message):
        masking_key(tmp_path)
    assert file.read_bytes() == content
