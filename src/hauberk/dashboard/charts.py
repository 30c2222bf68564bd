"""
Where the bars and lines of charts stand.

Charts are SVG that the server draws: they need no script, follow the theme, print, and say the same to a screen reader as a table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Segment:
    """A piece of a bar: one series' part of it."""

    series: str
    y: float
    height: float
    value: float


@dataclass(frozen=True)
class Bar:
    """All series at one place, one on the other."""

    x: float
    width: float
    label: str
    segments: Sequence[Segment]


@dataclass(frozen=True)
class Tick:
    """A mark of an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """A series as a line; gaps part it."""

    series: str
    paths: Sequence[str]
    """Points of each unbroken piece, as SVG's `polyline` takes them."""


@dataclass(frozen=True)
class Chart:
    """A drawn chart: bars, lines, or both, over the same labels."""

    title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    """What is drawn, by the series' name, for the table beside it."""

    width: int
    height: int
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
    unit: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)
    """`ok`, `warn`, `bad`, `info`, `off` or `c1` … `c6`, by the series' name."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(value for values in self.series.values() for value in values)


LEFT, RIGHT, TOP, BOTTOM = 44, 8, 8, 22
"""Room around the drawing, for the axes' labels."""

SHADES = ("c1", "c2", "c3", "c4", "c5", "c6")


def nice_ceiling(value: float) -> float:
    """Round up to 1, 2, 2.5 or 5 times a power of ten: where an axis ends."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if value <= step * power * (1 + 1e-9))


def short(value: float) -> str:
    """Write an axis's number: `250`, `1.5k`, `20M`."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def bars(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    colours: Mapping[str, str] | None = None,
    width: int = 760,
    height: int = 200,
    unit: str = "",
) -> Chart:
    """
    Draw stacked bars.

    Args:
        title: What it shows; the figure's caption.

        labels: Of the bars, from left to right.

        series: Values by the series' name, as many as labels, none negative; the first is lowest.

        colours: A colour's name for each series.

        unit: Of the values.
    """
    totals = [sum(values) for values in zip(*series.values(), strict=True)]
    top = nice_ceiling(max(totals, default=0))
    room, slot = _room(height), _slot(width, labels)
    drawn = []
    for place, label in enumerate(labels):
        segments, base = [], float(height - BOTTOM)
        for name, values in series.items():
            tall = values[place] / top * room
            base -= tall
            if values[place]:
                segments.append(Segment(name, round(base, 2), round(tall, 2), values[place]))
        drawn.append(Bar(round(LEFT + place * slot, 2), round(max(slot - (1.5 if slot > 4 else 0), 0.5), 2), label, segments))
    return replace(_empty(title, labels, series, width, height, top, unit, colours), bars=drawn)


def lines(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    colours: Mapping[str, str] | None = None,
    width: int = 760,
    height: int = 200,
    unit: str = "",
) -> Chart:
    """Draw lines over the same labels; `None` is a gap."""
    top = nice_ceiling(max((value for values in series.values() for value in values if value is not None), default=0))
    room, slot = _room(height), _slot(width, labels)
    drawn = []
    for name, values in series.items():
        pieces: list[list[str]] = [[]]
        for place, value in enumerate(values):
            if value is None:
                pieces.append([])
            else:
                x, y = LEFT + (place + 0.5) * slot, height - BOTTOM - value / top * room
                pieces[-1].append(f"{x:.1f},{y:.1f}")
        # A lone point is drawn as a short stroke, or it would not be seen.
        drawn.append(Line(name, [" ".join(piece if len(piece) > 1 else [piece[0], _beside(piece[0])]) for piece in pieces if piece]))
    return replace(_empty(title, labels, series, width, height, top, unit, colours), lines=drawn)


def spark(values: Sequence[float], width: int = 96, height: int = 22) -> str:
    """Give the points of a small line without axes, as SVG's `polyline` takes them; nothing for no values."""
    if not values:
        return ""
    top = max(values) or 1
    step = width / max(len(values) - 1, 1)
    points = [f"{place * step:.1f},{height - 1 - value / top * (height - 2):.1f}" for place, value in enumerate(values)]
    return " ".join(points if len(points) > 1 else [points[0], f"{width},{points[0].partition(',')[2]}"])


def _empty(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    width: int,
    height: int,
    top: float,
    unit: str,
    colours: Mapping[str, str] | None,
) -> Chart:
    """Make a chart with its axes, in which nothing is drawn yet; its vertical axis ends at `top`."""
    return Chart(
        title,
        labels,
        series,
        width,
        height,
        x_ticks=_x_ticks(labels, _slot(width, labels)),
        y_ticks=_y_ticks(top, _room(height), height),
        unit=unit,
        colours=_colours(series, colours),
    )


def _room(height: int) -> float:
    return height - TOP - BOTTOM


def _slot(width: int, labels: Sequence[str]) -> float:
    return (width - LEFT - RIGHT) / max(len(labels), 1)


def _beside(point: str) -> str:
    x, _, y = point.partition(",")
    return f"{float(x) + 2:.1f},{y}"


def _x_ticks(labels: Sequence[str], slot: float) -> list[Tick]:
    """Label as many places as have room for it."""
    longest = max(map(len, labels), default=1)
    every = max(math.ceil((longest * 6.5 + 16) / slot), 1) if slot else 1
    return [Tick(round(LEFT + (place + 0.5) * slot, 1), label) for place, label in enumerate(labels) if place % every == 0]


def _y_ticks(top: float, room: float, height: int) -> list[Tick]:
    return [Tick(round(height - BOTTOM - share * room, 1), short(share * top)) for share in (0, 0.5, 1)]


def _colours(series: Mapping[str, object], colours: Mapping[str, str] | None) -> dict[str, str]:
    return {name: (colours or {}).get(name, SHADES[place % len(SHADES)]) for place, name in enumerate(series)}
