"""`hauberk zone`: the domains under protection."""

from __future__ import annotations

from typing import Annotated

import typer

from hauberk.cli.remote import Remote, remote

app = typer.Typer(no_args_is_help=True, help="Domains under protection.")


@app.command("list")
@remote(zone=False)
def list_zones(plane: Remote) -> None:
    """
    List the zones.

    \b
    Example:
      hauberk zone list
    """
    zones = list(plane.client.pages("/client/v4/zones"))
    plane.out.table(
        zones, {"NAME": "name", "ID": "id", "CREATED": "created_on"}, empty="no zones yet: 'hauberk zone add example.com' makes one"
    )


@app.command("add")
@remote(zone=False)
def add_zone(plane: Remote, name: Annotated[str, typer.Argument(help="The domain, e.g. example.com.", show_default=False)]) -> None:
    """
    Make a zone; hosts are names at or below it.

    \b
    Example:
      hauberk zone add example.com
    """
    zone = plane.client.post("/hauberk/v1/zones", {"name": name})
    plane.out.done(
        f"Made zone {zone['name']} ({zone['id']})", zone, then=f"hauberk host add api.{zone['name']} --upstream http://127.0.0.1:9000"
    )
