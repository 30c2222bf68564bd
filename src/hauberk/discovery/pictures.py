"""Draws a comparison of the two ways of discovery: as text for a terminal, and as an SVG picture for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from hauberk.discovery.comparison import Comparison

DIFFERENCE_LABELS = {
    "lost_over_50": "lost more than 50",
    "lost_1_to_50": "lost 1-50",
    "unchanged": "unchanged",
    "gained_1_to_50": "gained 1-50",
    "gained_over_50": "gained more than 50",
}
_BAR_CHARACTERS = 40

# Two colours that differ in lightness as well, so that they are told apart in grey and by the colour-blind.
_ML, _SESSION, _INK, _LINE = "#1f6feb", "#d29922", "#24292f", "#d0d7de"
_WIDTH, _ROW, _LEFT, _RIGHT = 760, 26, 190, 90


def histogram_text(comparison: Comparison) -> str:
    """Draw both histograms with characters every terminal has."""
    lines = ["Hosts by what the classifier finds beside the session identifier", ""]
    total = len(comparison.comparable)
    for name, count in comparison.differences.items():
        share = f"{count / total:4.0%}" if total else "   -"
        lines.append(f"  {DIFFERENCE_LABELS[name]:<20}{share}  {_bar(count, total)} {count}")
    counts = comparison.counts
    largest = max((max(row["ml"], row["session_identifier"]) for row in counts), default=0)
    lines += ["", "Hosts by number of operations (upper bar: classifier, lower bar: session identifier)", ""]
    for row in counts:
        lines.append(f"  {_range(row['from'], row['to']):<20}      {_bar(row['ml'], largest)} {row['ml']}")
        lines.append(f"  {'':<20}      {_bar(row['session_identifier'], largest)} {row['session_identifier']}")
    return "\n".join(lines) + "\n"


def comparison_svg(comparison: Comparison) -> str:
    """Draw both histograms as an SVG document of its own."""
    differences = [(DIFFERENCE_LABELS[name], count) for name, count in comparison.differences.items()]
    counts = comparison.counts
    total = len(comparison.comparable)
    height = 90 + _ROW * len(differences) + 70 + 2 * _ROW * len(counts) + 20
    body = [
        _text(20, 32, "Operations found by the classifier beside those found by session identifier", size=16, weight="bold"),
        _text(20, 60, f"Share of the {total} hosts where a session identifier finds something", size=13),
        *_difference_bars(differences, total, top=80),
    ]
    top = 80 + _ROW * len(differences) + 45
    body += [_text(20, top - 15, "Hosts by number of operations", size=13), *_legend(top - 15)]
    body += _count_bars(counts, top)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="system-ui, sans-serif" role="img">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _difference_bars(rows: Sequence[tuple[str, int]], total: int, top: int) -> Iterator[str]:
    for at, (label, count) in enumerate(rows):
        y = top + at * _ROW
        length = _length(count, total)
        yield _text(_LEFT - 10, y + 15, label, anchor="end")
        yield _rect(_LEFT, y + 3, length, _ROW - 8, _ML)
        share = f"{count / total:.0%}" if total else "-"
        yield _text(_LEFT + length + 6, y + 15, f"{share} ({count})")
    yield _axis(top, len(rows) * _ROW)


def _count_bars(rows: Sequence[dict[str, int]], top: int) -> Iterator[str]:
    largest = max((max(row["ml"], row["session_identifier"]) for row in rows), default=0)
    for at, row in enumerate(rows):
        y = top + at * 2 * _ROW
        yield _text(_LEFT - 10, y + _ROW + 2, _range(row["from"], row["to"]), anchor="end")
        for offset, way, colour in ((4, "ml", _ML), (_ROW, "session_identifier", _SESSION)):
            length = _length(row[way], largest)
            yield _rect(_LEFT, y + offset, length, _ROW - 8, colour)
            yield _text(_LEFT + length + 6, y + offset + 13, str(row[way]))
    yield _axis(top, len(rows) * 2 * _ROW)


def _legend(y: int) -> Iterator[str]:
    for x, label, colour in ((_LEFT + 120, "classifier", _ML), (_LEFT + 230, "session identifier", _SESSION)):
        yield _rect(x, y - 10, 12, 12, colour)
        yield _text(x + 18, y, label)


def _range(start: int, end: int | None) -> str:
    if end is None:
        return f"more than {start - 1}"
    return f"{start}" if start == end else f"{start}-{end}"


def _bar(count: int, largest: int) -> str:
    # What is there has a bar, however short.
    return "#" * max(bool(count), round(_BAR_CHARACTERS * count / largest) if largest else 0)


def _length(count: int, largest: int) -> int:
    room = _WIDTH - _LEFT - _RIGHT
    return max(2 * bool(count), round(room * count / largest) if largest else 0)


def _rect(x: int, y: int, width: int, height: int, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>'


def _axis(top: int, height: int) -> str:
    return f'<line x1="{_LEFT}" y1="{top}" x2="{_LEFT}" y2="{top + height}" stroke="{_LINE}"/>'


def _text(x: int, y: int, text: str, *, size: int = 12, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{_INK}">{escape(text)}</text>'
