"""Costly work in turns."""

from __future__ import annotations

import threading

import pytest

from conftest import eventually
from hauberk.errors import TooManyRequests
from hauberk.turns import Turns


def test_so_many_work_so_many_wait_and_others_are_sent_away() -> None:
    turns = Turns(2, 3, "too many", 7)
    goes_on = threading.Event()
    working: list[int] = []
    most = 0

    def work(number: int) -> None:
        nonlocal most
        with turns.turn():
            working.append(number)
            most = max(most, len(working))
            goes_on.wait()
            working.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(working) == 2 and turns._places._value == 0)
    with pytest.raises(TooManyRequests, match="too many") as refused, turns.turn():
        pass
    assert refused.value.retry_after_seconds == 7
    goes_on.set()
    for thread in threads:
        thread.join()
    assert (most, working) == (2, [])
    with turns.turn():
        pass


def test_a_turn_ends_with_an_error() -> None:
    turns = Turns(1, 0, "too many", 1)
    for _ in range(3):
        with pytest.raises(KeyError), turns.turn():
            raise KeyError
