import pytest
from benchmarks.learning.interval import told, wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_gives_published_intervals(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)
    assert found == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_more_hits_than_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2 is no share"):
        wilson(3, 2)


def test_nothing_counted_is_told_as_such() -> None:
    assert told(0, 0) == "-"
    assert told(1, 1000) == "0.10 % (0.02 to 0.56) of 1,000"
