"""Tries: some are free, then each failure doubles the wait."""

from __future__ import annotations

import threading

from hauberk.access import throttle
from hauberk.access.throttle import FORGET_SECONDS, FREE_TRIES, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(tries: Throttle, clock: Clock, key: str, times: int) -> list[float]:
    """Fail as soon as it may be tried again; give the waits."""
    waits = []
    for _ in range(times):
        while wait := tries.begin(key):
            waits.append(wait)
            clock.now += wait
    return waits


def test_waits_double_up_to_the_longest() -> None:
    clock = Clock()
    tries = Throttle(60, clock)
    assert fail(tries, clock, "a", FREE_TRIES + 9) == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert tries.begin("b") == 0


def test_trying_while_one_has_to_wait_does_not_make_it_longer() -> None:
    clock = Clock()
    tries = Throttle(60, clock)
    fail(tries, clock, "a", FREE_TRIES)
    assert [tries.begin("a") for _ in range(10)] == [1.0] * 10
    clock.now += 1
    assert tries.begin("a") == 0


def test_success_is_no_failure_and_may_clear_those_before() -> None:
    clock = Clock()
    tries = Throttle(60, clock)
    for _ in range(100):
        assert tries.begin("a") == 0
        tries.succeeded("a", clear=False)
    fail(tries, clock, "a", FREE_TRIES + 3)
    clock.now += 100
    assert tries.begin("a") == 0
    tries.succeeded("a", clear=False)
    assert fail(tries, clock, "a", 2) == [16.0]  # those before are not forgotten
    clock.now += 100
    assert tries.begin("a") == 0
    tries.succeeded("a", clear=True)
    assert fail(tries, clock, "a", FREE_TRIES) == []
    tries.succeeded("never seen", clear=True)


def test_failures_are_forgotten_after_a_while() -> None:
    clock = Clock()
    tries = Throttle(60, clock)
    fail(tries, clock, "a", FREE_TRIES + 3)
    clock.now += FORGET_SECONDS + 61
    assert fail(tries, clock, "a", FREE_TRIES) == []


def test_many_at_once_gain_nothing() -> None:
    tries = Throttle(60, Clock())
    begun: list[float] = []
    threads = [threading.Thread(target=lambda: begun.append(tries.begin("a"))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun.count(0.0) == FREE_TRIES


def test_memory_is_bounded_and_the_newest_are_kept() -> None:
    clock = Clock()
    tries = Throttle(60, clock)
    fail(tries, clock, "old", FREE_TRIES)
    for number in range(throttle.MAX_KEYS):
        tries.begin(str(number))
    assert len(tries._tries) == throttle.MAX_KEYS
    assert tries.begin("old") == 0


def test_a_million_failures_are_a_number_of_ordinary_size() -> None:
    clock = Clock()
    tries = Throttle(60, clock)
    tries.begin("a")
    tries._tries["a"].failures = 10**6
    assert tries.begin("a") == 0
    assert tries.begin("a") == 60
