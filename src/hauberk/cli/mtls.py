"""`hauberk mtls`: which hosts refuse callers without a good client certificate."""

from __future__ import annotations

from typing import Annotated

import typer

from hauberk.cli import rules
from hauberk.cli.host import HostArgument, warn_unless_served
from hauberk.cli.output import Cell
from hauberk.cli.remote import Remote, remote

app = typer.Typer(no_args_is_help=True, help="Mutual TLS: refuse callers without a good client certificate.")


@app.command("require")
@remote()
def require(
    plane: Remote,
    host: HostArgument,
    log: Annotated[
        bool, typer.Option("--log", help="Let callers without one pass and record an event, to see whom it would concern.")
    ] = False,
    method: Annotated[list[str] | None, typer.Option(help="Only requests with this method; may be repeated.", show_default=False)] = None,
    path: Annotated[
        list[str] | None, typer.Option(help="Only requests for exactly this path; may be repeated.", show_default=False)
    ] = None,
) -> None:
    """
    Answer 403 on a host unless the caller shows a client certificate that verifies and is not revoked.

    Two things are made, together and once each: the association, which lets the gateway ask for a certificate in the TLS handshake, and a
    rule before all others that decides. Running it again changes nothing.

    \b
    Examples:
      hauberk mtls require api.example.com
      hauberk mtls require api.example.com --log
      hauberk mtls require api.example.com --method POST --path /orders
    """
    name = rules.exact_host(host)
    warn_unless_served(plane, name)
    wanted = {"hosts": [name], "action": "log" if log else "block", "methods": [one.upper() for one in method or []], "paths": path or []}
    made = plane.client.post(plane.own_zone_path("mutual-tls", "require", host=name), wanted)["hosts"][0]
    some = " for these requests" if method or path else ""
    verb = "now logs callers without" if log else "now requires"
    plane.out.done(
        f"{name} {verb} a client certificate that is verified and not revoked{some}",
        made | {"associated": _associated(plane, name)},
        then="hauberk cert issue --generate --common-name device-1",
    )


@app.command("show")
@remote()
def show(plane: Remote) -> None:
    """
    List the hosts on which certificates are asked for, and those whose rule refuses callers without one.

    \b
    Example:
      hauberk mtls show
    """
    rows = plane.client.pages(plane.own_zone_path("mutual-tls"))
    hosts = [
        row | {"asked_for": bool(row["authorities"]), "required": row["demand"] == "all" and row["action"] == "block"}
        for row in rows
        if row["authorities"] or row["demand"] != "none"
    ]
    columns: dict[str, Cell] = {
        "HOST": "host",
        "ASKED FOR": lambda row: ", ".join("managed" if authority["managed"] else authority["name"] for authority in row["authorities"]),
        "REQUIRED": "demand",
        "ACTION": "action",
    }
    plane.out.table(hosts, columns, empty="no host asks for certificates: 'hauberk mtls require HOST' makes one do so")


@app.command("remove")
@remote()
def remove(plane: Remote, host: HostArgument) -> None:
    """
    Let callers without a certificate in again: delete the rule and the association that 'require' made.

    \b
    Example:
      hauberk mtls remove api.example.com
    """
    name = rules.exact_host(host)
    path = plane.own_zone_path("mutual-tls", host=name)
    present = next(iter(plane.client.pages(path, host=name)), None)
    authorities = present["authorities"] if present is not None else []
    kept = [authority["id"] for authority in authorities if not authority["managed"]]
    removed = present is not None and (present["rule"] is not None or len(kept) < len(authorities))
    after = plane.client.put(path, {"hosts": {name: {"authorities": kept, "rule": None}}})["hosts"][0] if removed else present
    text = f"{name} requires no client certificate any more" if removed else f"{name} required no client certificate"
    plane.out.done(text, (after or {"host": name}) | {"associated": _associated(plane, name)})


def _associated(plane: Remote, host: str) -> list[str]:
    """List the names on which certificates of the managed authority are asked for."""
    path = plane.zone_path("certificate_authorities", "hostname_associations", host=host)
    return list(plane.client.get(path).get("hostnames") or [])
