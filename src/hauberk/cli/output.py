"""
How commands speak: data on stdout, everything else on stderr, legible without colour.

What is printed may come from callers of the protected API (a path, a host name), so control characters never reach the terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Without a terminal there is no width to respect: a pipe gets each row on one line.
_PIPE_WIDTH = 10_000

Cell = str | Callable[[Mapping[str, Any]], Any]
"""A column: a member's name, or a function of the row."""


def printable(value: Any) -> str:
    """Render a value for a terminal; control characters become escapes such as `\\x1b`."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(printable(item) for item in value) or "-"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))


class Output:
    """
    Where a command prints.

    Args:
        as_json: Data is printed as JSON instead of for people.

        aside: Tables go to stderr, because stdout holds other data.
    """

    def __init__(self, *, as_json: bool = False, aside: bool = False) -> None:
        self.as_json = as_json
        self.aside = aside

    def json(self, value: Any) -> None:
        """Print a value as JSON on stdout."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def line(self, text: str) -> None:
        """Print one line of data on stdout, as it is."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def table(self, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Cell], *, empty: str) -> None:
        """
        Print a list.

        Args:
            rows: The objects; as JSON they are printed whole.

            columns: Title to member name or function.

            empty: What to say on stderr instead of an empty table.
        """
        if self.as_json:
            self.json(list(rows))
        elif rows:
            self._print(
                Table(*columns, box=None, pad_edge=False, header_style="bold"), ([_cell(row, c) for c in columns.values()] for row in rows)
            )
        else:
            self.say(empty)

    def object(self, value: Mapping[str, Any], fields: Mapping[str, Cell]) -> None:
        """Print one object, a labelled line for each field; as JSON it is printed whole."""
        if self.as_json:
            self.json(dict(value))
        else:
            self._print(Table(show_header=False, box=None, pad_edge=False), ([label, _cell(value, c)] for label, c in fields.items()))

    def say(self, text: str) -> None:
        """Tell what happened, on stderr."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def done(self, text: str, value: Any = None, *, then: str | None = None) -> None:
        """
        Tell that something was changed, and what to do next.

        Args:
            text: What happened.

            value: The changed thing, printed on stdout as JSON if JSON was asked for.

            then: A command or a sentence; left out with JSON, where nobody reads it.
        """
        self.say(text)
        if self.as_json:
            self.json(value)
        elif then is not None:
            self.say(f"next: {then}")

    def _print(self, table: Table, rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            table.add_row(*(Text(cell, overflow="fold") for cell in row))
        stream = sys.stderr if self.aside else sys.stdout
        console = Console(file=stream, highlight=False, markup=False, width=None if stream.isatty() else _PIPE_WIDTH)
        with console.capture() as rendered:
            console.print(table)
        stream.write("".join(f"{line.rstrip()}\n" for line in rendered.get().splitlines()))
        stream.flush()


def _cell(row: Mapping[str, Any], column: Cell) -> str:
    return printable(column(row) if callable(column) else row.get(column))
