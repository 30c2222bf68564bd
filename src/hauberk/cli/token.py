"""`hauberk token`: credentials of the REST API."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hauberk.cli import files
from hauberk.cli.client import route
from hauberk.cli.failure import Failure
from hauberk.cli.remote import Remote, remote

app = typer.Typer(no_args_is_help=True, help="Credentials of the REST API.")


class Scope(StrEnum):
    """What a token may do."""

    READ = "read"
    EDIT = "edit"
    GATEWAY = "gateway"


@app.command("list")
@remote(zone=False)
def list_tokens(plane: Remote) -> None:
    """
    List tokens, revoked ones too. Their text is not kept, so it cannot be shown.

    \b
    Example:
      hauberk token list
    """
    tokens = list(plane.client.pages("/hauberk/v1/tokens"))
    plane.out.table(tokens, {"NAME": "name", "SCOPE": "scope", "OWNER": "email", "STATUS": "status", "ID": "id"}, empty="no tokens")


@app.command("create")
@remote(zone=False)
def create(
    plane: Remote,
    name: Annotated[str, typer.Argument(help="What it is for, e.g. ci or gateway-2.", show_default=False)],
    scope: Annotated[Scope, typer.Option(help="read: look; edit: look and change; gateway: fetch snapshots and report.")] = Scope.READ,
    email: Annotated[
        str | None, typer.Option(help="Its owner, sent as X-Auth-Email beside X-Auth-Key. Default: yours.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write it to (mode 0600) instead of printing it.", show_default=False)] = None,
) -> None:
    """
    Make a token and print it, this once.

    \b
    Examples:
      hauberk token create ci --scope read
      hauberk token create gateway-2 --scope gateway --out gateway-token
    """
    if out is not None:
        files.refuse_existing([out], force=False)
    body = {"name": name, "scope": scope.value} | ({"email": email} if email is not None else {})
    made = plane.client.post("/hauberk/v1/tokens", body)
    text = str(made["token"])
    if out is not None:
        files.write(out, text + "\n", private=True)
        made = {key: value for key, value in made.items() if key != "token"} | {"token_file": str(out)}
    plane.out.done(
        f"Made token {made['name']} with scope {made['scope']} ({made['id']})"
        + (f", written to {out}" if out else "; this is the only time it is shown:"),
        made,
    )
    if out is None and not plane.out.as_json:
        plane.out.line(text)


@app.command("revoke")
@remote(zone=False)
def revoke(plane: Remote, wanted: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id or its name.", show_default=False)]) -> None:
    """
    Revoke a token, at once and for good.

    \b
    Example:
      hauberk token revoke ci
    """
    active = [known for known in plane.client.pages("/hauberk/v1/tokens") if known["status"] == "active"]
    found = [known for known in active if known["id"] == wanted] or [known for known in active if known["name"] == wanted]
    if not found:
        raise Failure(f"there is no active token '{wanted}'", "'hauberk token list' shows those there are")
    if len(found) > 1:
        raise Failure(f"{len(found)} tokens are named '{wanted}'", "name one by its id: " + ", ".join(known["id"] for known in found))
    revoked = plane.client.delete(route("hauberk/v1/tokens", found[0]["id"]))
    plane.out.done(f"Revoked token {found[0]['name']} ({found[0]['id']})", revoked)
