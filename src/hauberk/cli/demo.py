"""`hauberk demo`: the worked example, run before your eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hauberk.cli.failure import Failure


def demo(
    check: Annotated[bool, typer.Option("--check", help="Walk through, stop everything, and exit with 1 if a step differed.")] = False,
    state: Annotated[
        Path | None,
        typer.Option("--state", "--folder", metavar="DIR", help="Folder for its files. Default: a new temporary one.", show_default=False),
    ] = None,
    traffic: Annotated[bool, typer.Option("--traffic", help="Show an API in use instead: a shop, and callers of all kinds.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=500, help="With --traffic: visits in a second; one is a request or more.")] = 15,
    minutes: Annotated[
        float | None, typer.Option(min=0.05, help="With --traffic: how long. Default: until Ctrl-C.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="With --traffic: makes the chance; the same seed, the same requests.")] = 7,
) -> None:
    """
    Show hauberk at work on this machine: an example API, a gateway in front, certificates, a schema, refusals.

    Each command is printed with what it answered and why. Everything listens on 127.0.0.1 and keeps its files in a folder of its own.

    With --traffic an API is in use: apps, devices, partners, browsers, crawlers and attackers call a shop through the gateway, its owner
    has decided some things, and the dashboard has something to show on every page.

    \b
    Examples:
      hauberk demo
      hauberk demo --traffic --minutes 10
    """
    if traffic:
        if check:
            raise Failure("--check is for the walk", "leave it out, or leave out --traffic", status=2)
        from hauberk.demo import traffic as in_use  # noqa: PLC0415 - only this command runs it

        raise typer.Exit(in_use.run(state, rate=rate, minutes=minutes, seed=seed))
    from hauberk import demo as show  # noqa: PLC0415 - as above

    raise typer.Exit(show.run(state, check=check))
