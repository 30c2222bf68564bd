"""What a gateway samples reaches the store, however the gateway and the store fare."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest

from conftest import eventually
from hauberk.errors import StorageError
from hauberk.traffic.keeper import TrafficKeeper
from hauberk.traffic.store import TrafficStore

LINE = json.dumps({"host": "a", "method": "GET", "url": "/x", "status": 200}).encode() + b"\n"


class Core:
    """Stands for a gateway with so many transactions, a batch each second one of which cannot be given."""

    def __init__(self, batches: int) -> None:
        self.batches = batches
        self.calls = 0
        self.lost = 0
        self.transactions_dropped = 0

    def take_transactions(self, most_bytes: int, wait_seconds: float) -> bytes:
        self.calls += 1
        if self.calls % 2:
            raise RuntimeError("something unforeseen")
        if not self.batches:
            return b""
        self.batches -= 1
        return LINE * 10

    def transactions_lost(self, count: int) -> None:
        self.lost += count


def test_nothing_that_goes_wrong_ends_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    core = Core(3)
    keeper = TrafficKeeper(core, TrafficStore(tmp_path / "traffic", flush_seconds=0), tmp_path)  # type: ignore[arg-type]
    stopping = threading.Event()
    thread = threading.Thread(target=keeper.keep, args=(stopping,))
    with caplog.at_level(logging.ERROR):
        thread.start()
        eventually(lambda: keeper.store.stored == 30)
        stopping.set()
        thread.join()
    assert "transactions were not kept" in caplog.text
    assert core.lost == 0


def test_what_the_gateway_dropped_is_told_now_and_then(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    core = Core(20)
    keeper = TrafficKeeper(core, TrafficStore(tmp_path / "traffic", flush_seconds=3600), tmp_path)  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            core.calls = 1
            core.transactions_dropped += 5
            keeper._keep_some(0)
    assert caplog.text.count("transactions were dropped") == 1
    assert core.lost == 0, "the gateway has counted them"


def test_what_waits_is_noted_for_the_next_start(tmp_path: Path) -> None:
    core = Core(2)
    keeper = TrafficKeeper(core, TrafficStore(tmp_path / "traffic", flush_seconds=3600), tmp_path)  # type: ignore[arg-type]
    core.calls = 1
    keeper._keep_some(0)
    assert (tmp_path / "traffic-pending").read_text().split() == ["10"]
    # Not closed: it was killed.
    assert TrafficKeeper(core, TrafficStore(tmp_path / "traffic"), tmp_path).lost == 10  # type: ignore[arg-type]
    assert core.lost == 10


def test_a_state_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="traffic-pending cannot be used"):
        TrafficKeeper(Core(0), TrafficStore(tmp_path / "traffic"), tmp_path / "missing")  # type: ignore[arg-type]
