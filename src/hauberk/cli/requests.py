"""`hauberk requests` and `hauberk todo`: what became of the requests to each host, and what to do next."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hauberk.cli.moments import moment
from hauberk.cli.remote import Remote, remote


@remote()
def requests(
    plane: Remote,
    since: Annotated[str, typer.Option(metavar="TIME", help="From then on: 2h, 7d ago, or RFC 3339; whole hours are counted.")] = "24h",
) -> None:
    """
    Count the requests to each host: blocked, logged, and how many of all were protected.

    A request is protected if it was refused, if the schema of its operation judged it, or if a rule would have refused it without its
    client certificate. Gateways bring their counts every few seconds.

    \b
    Examples:
      hauberk requests
      hauberk requests --since 7d --json
    """
    coverage = plane.client.get(plane.own_zone_path("coverage"), since=moment(since))
    if plane.out.as_json:
        plane.out.json(coverage)
        return
    columns: dict[str, Any] = {
        "HOST": "host",
        "REQUESTS": "requests",
        "BLOCKED": "blocked",
        "LOGGED": "logged",
        "PROTECTED": lambda row: "" if row["share"] is None else f"{100 * row['share']:.1f} %",
        "CERTIFICATE": "client_certificate",
        "OPERATIONS": "operations",
        "BLOCKING": "blocking",
    }
    plane.out.table(coverage["hosts"], columns, empty="no hosts yet: 'hauberk host add HOST --upstream URL' makes one")


@remote()
def todo(plane: Remote) -> None:
    """
    List what to do next, the first thing first: what keeps gateways from their work, what ends soon, what protects more.

    \b
    Example:
      hauberk todo
    """
    steps = plane.client.get(plane.own_zone_path("todo"))
    plane.out.table(steps, {"WHEN": "urgency", "WHAT": "title", "WHY": "why"}, empty="nothing is left to do")
