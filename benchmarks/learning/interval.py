"""How sure a share is that was counted on few requests."""

from __future__ import annotations

from math import sqrt

Z_95 = 1.959963984540054
"""Two-sided, 95 %."""


def wilson(hits: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """
    Give Wilson's score interval of a share; it holds up near 0 and 1, where the usual one shrinks to nothing.

    Raises:
        ValueError: If `hits` is not between 0 and `of`.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    if of == 0:
        return 0.0, 1.0
    share = hits / of
    scale = 1 + z * z / of
    centre = (share + z * z / (2 * of)) / scale
    half = z / scale * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, centre - half), min(1.0, centre + half)


def told(hits: int, of: int) -> str:
    """Write a share for a table: `0.21 % (0.11 to 0.40) of 4,312`."""
    if of == 0:
        return "-"
    low, high = wilson(hits, of)
    return f"{hits / of * 100:.2f} % ({low * 100:.2f} to {high * 100:.2f}) of {of:,}"
