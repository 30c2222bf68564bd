"""The formulas, beside values that tables give."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.learning.statistics import missing_mass, next_breaks, samples_needed, tail_index


@given(st.floats(1e-6, 10), st.floats(0.1, 100), st.integers(0, 1000), st.floats(1e-4, 0.5))
def test_after_so_many_samples_more_a_statement_is_confident(a: float, b: float, clean: int, risk: float) -> None:
    needed = samples_needed(a, b, clean, risk)
    assert next_breaks(a, b, clean + needed) <= risk * (1 + 1e-9)


@given(st.integers(0, 50), st.integers(1, 1000))
def test_missing_mass_is_a_probability_and_never_zero(once: int, samples: int) -> None:
    assert 0 < missing_mass(min(once, samples), samples) <= 1


def test_hill_finds_the_index_of_a_tail() -> None:
    largest = [(1 / quantile) ** 0.5 for quantile in (index / 2000 for index in range(1, 200))]
    assert tail_index(largest) == pytest.approx(0.5, abs=0.05)
    assert math.isinf(tail_index([3.0]))
