"""`hauberk discovery session-identifiers`: where requests carry who is calling."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hauberk.cli.failure import Failure
from hauberk.cli.output import Output, printable
from hauberk.cli.remote import Remote, remote
from hauberk.session_identifier import TYPES

app = typer.Typer(
    no_args_is_help=True,
    help="Where requests carry who is calling: a header, a cookie, a claim of a token. Values are never kept.",
)


@app.command("show")
@remote()
def show(plane: Remote) -> None:
    """
    Show a zone's session identifiers, in the order in which they make a session's key.

    \b
    Example:
      hauberk discovery session-identifiers show
    """
    rows = plane.client.get(plane.zone_path("api_gateway", "configuration"))["auth_id_characteristics"]
    plane.out.table(
        rows, {"TYPE": "type", "NAME": "name"}, empty="none is set: 'hauberk discovery session-identifiers propose' looks for one"
    )


@app.command("set")
@remote()
def set_identifiers(
    plane: Remote,
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(help="Each as TYPE:NAME, at most 10; the order counts. None at all with --none.", show_default=False),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Clear them; from then on none is set by itself.", show_default=False)] = False,
) -> None:
    """
    Set a zone's session identifiers; those there were are replaced.

    A type is header, cookie or jwt. A claim is written as the header its token is in (or a token configuration's id), ':' and a JSONPath.

    \b
    Examples:
      hauberk discovery session-identifiers set header:authorization
      hauberk discovery session-identifiers set header:x-tenant cookie:sid
      hauberk discovery session-identifiers set 'jwt:authorization:$.sub'
      hauberk discovery session-identifiers set --none
    """
    if none == bool(identifiers):
        raise Failure("name at least one session identifier, or --none", "e.g. header:authorization", status=2)
    body = {"auth_id_characteristics": [_parsed(text) for text in identifiers or []]}
    path = plane.zone_path("api_gateway", "configuration")
    envelope = plane.client.put_envelope(path, body)
    for message in envelope["messages"]:
        plane.out.say(f"warning: {printable(message['message'])}")
    told = ", ".join(identifiers or []) or "none"
    plane.out.done(f"Session identifiers: {told}", envelope["result"], then="hauberk discovery refresh")


@app.command("propose")
@remote()
def propose(
    plane: Remote,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many transactions to look at.")] = 20_000,
) -> None:
    """
    Look at what requests carry, and propose a session identifier: how many carry it, how many values it has, and why it is good or not.

    \b
    Example:
      hauberk discovery session-identifiers propose
    """
    proposal = plane.client.get(plane.own_zone_path("session-identifiers", "proposal"), limit=limit)
    print_proposal(plane.out, proposal)
    if plane.out.as_json:
        return
    for warning in proposal["warnings"]:
        plane.out.say(f"warning: what is set now looks wrong: {printable(warning)}")
    best = proposal["recommended"]
    if best is not None:
        name = best["name"] if best["type"] != "jwt" else f"authorization:{best['name']}"
        plane.out.say(f"next: hauberk discovery session-identifiers set '{best['type']}:{printable(name)}'")
    elif proposal["candidates"]:
        plane.out.say("next: none of them is good by itself; take the one you know to be a caller's")


def print_proposal(out: Output, proposal: dict[str, Any]) -> None:
    """Print what requests carry and how it would do, the best first; as JSON it is printed whole."""
    if out.as_json:
        out.json(proposal)
        return
    columns: dict[str, Any] = {
        "TYPE": "type",
        "NAME": "name",
        "SHARE": lambda row: f"{row['share']:.0%}",
        "VALUES": "distinct_values",
        "REQUESTS/VALUE": lambda row: f"{row['requests_per_value']:.1f}",
        "CLIENTS": "clients",
        "VERDICT": "verdict",
        "WHY": lambda row: "; ".join(row["reasons"]),
    }
    out.table(proposal["candidates"], columns, empty="no request that was looked at carries anything that could identify a session")
    out.say(f"looked at {proposal['transactions']} transactions, {proposal['successful']} of them successful")


def _parsed(text: str) -> dict[str, str]:
    kind, colon, name = text.partition(":")
    if not colon or kind.lower() not in TYPES or not name:
        raise Failure(f"'{text}' is no session identifier", "write header:NAME, cookie:NAME or jwt:HEADER:$.claim", status=2)
    return {"type": kind.lower(), "name": name}
