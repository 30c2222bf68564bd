"""`hauberk demo`: the worked example, run before your eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    check: Annotated[bool, typer.Option("--check", help="Walk through, stop everything, and exit with 1 if a step differed.")] = False,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for its files. Default: a new temporary one.", show_default=False)
    ] = None,
) -> None:
    """
    Show hauberk at work on this machine: an example API, a gateway in front, certificates, a schema, refusals.

    Each command is printed with what it answered and why. Everything listens on 127.0.0.1 and keeps its files in a folder of its own.

    \b
    Example:
      hauberk demo
    """
    from hauberk import demo as show  # noqa: PLC0415 - only this command runs it

    raise typer.Exit(show.run(state, check=check))
