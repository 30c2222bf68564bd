"""`hauberk schema alerts`: what requests show and the learned schema in force does not say."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hauberk.cli.failure import Failure
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote, remote
from hauberk.cli.saved import named


@remote()
def alerts(
    plane: Remote,
    alert: Annotated[str | None, typer.Argument(metavar="ALERT", help="Show this one whole: its id.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that were acknowledged as well.", show_default=False)] = False,
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="Note that you have seen them: the one named, or all.", show_default=False)
    ] = False,
) -> None:
    """
    List alerts on drift: requests show something that the learned schema in force does not say. Each change is told once.

    REFUSED tells whether such requests are refused, where the operation blocks. With its id an alert also tells how the newest learned
    schema differs from the one that was in force: breaking changes refuse more, the others less.

    \b
    Examples:
      hauberk schema alerts
      hauberk schema alerts 5f0c…
      hauberk schema alerts --acknowledge
    """
    path = plane.own_zone_path("alerts")
    if alert is not None:
        one = plane.client.post(f"{path}/{alert}/acknowledge", None) if acknowledge else plane.client.get(f"{path}/{alert}")
        _print(plane, one)
        return
    if acknowledge:
        if everything:
            raise Failure("--all lists, --acknowledge notes", "name one of them", status=2)
        seen = plane.client.post(f"{path}/acknowledge", {"all": True})
        plane.out.done(f"Acknowledged {len(seen)} alert{'s' * (len(seen) != 1)}", seen)
        return
    rows = list(plane.client.pages(path, **({} if everything else {"acknowledged": False})))
    columns: dict[str, Any] = {
        "RAISED": lambda row: row["raised_at"][:16].replace("T", " "),
        "OPERATION": named,
        "WHERE": lambda row: row["pointer"] or "-",
        "WHAT": "summary",
        "REQUESTS": lambda row: f"{row['samples']:,}" if row["samples"] else "-",
        "CALLERS": lambda row: f"{row['sources']:,}" if row["sources"] else "-",
        "REFUSED": "refused",
        "IN FORCE": "version",
        "NEWEST": "refreshed_version",
        "ID": "id",
    }
    plane.out.table(rows, columns, empty="no alerts: requests are as the learned schemas in force say")


def _print(plane: Remote, one: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "operation": named,
        "where": lambda row: row["pointer"] or None,
        "what": "summary",
        "requests, callers": lambda row: f"{row['samples']:,}, {row['sources']:,}",
        "refused": "refused",
        "raised": "raised_at",
        "acknowledged": "acknowledged_at",
        "delivered": "delivered_at",
        "in force, newest": lambda row: f"{row['version'] or '-'}, {row['refreshed_version'] or '-'}",
    }
    plane.out.object(one, fields)
    if not plane.out.as_json:
        for change in one["changes"]:
            plane.out.line(printable(f"{'breaking' if change['breaking'] else 'looser'}: {change['where']} {change['what']}"))
