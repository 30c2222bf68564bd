"""`hauberk user`: who may sign in to the dashboard. Passwords are asked for or read from standard input, never taken from arguments."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from hauberk.cli.client import route
from hauberk.cli.failure import Failure
from hauberk.cli.remote import Remote, remote

app = typer.Typer(no_args_is_help=True, help="Users of the dashboard.")

# Longer than any password; whoever pipes more has the wrong file.
_LARGEST = 4096


class Role(StrEnum):
    """What a user may do."""

    VIEWER = "viewer"
    EDITOR = "editor"


Name = Annotated[str, typer.Argument(help="The user's name; upper and lower case do not count.", show_default=False)]


@app.command("list")
@remote(zone=False)
def list_users(plane: Remote) -> None:
    """
    List the users.

    \b
    Example:
      hauberk user list
    """
    users = list(plane.client.pages("/hauberk/v1/users"))
    columns = {"NAME": "name", "ROLE": "role", "STATUS": "status", "SESSIONS": "sessions", "LAST SIGN-IN": "signed_in_at", "ID": "id"}
    plane.out.table(users, columns, empty="no users yet: 'hauberk user add NAME' makes one")


@app.command("add")
@remote(zone=False)
def add(
    plane: Remote, name: Name, role: Annotated[Role, typer.Option(help="viewer: look; editor: look and change.")] = Role.VIEWER
) -> None:
    """
    Add a user. The password is asked for, or read from standard input if that is no terminal.

    \b
    Examples:
      hauberk user add ada --role editor
      pass hauberk/ada | hauberk user add ada
    """
    made = plane.client.post("/hauberk/v1/users", {"name": name, "password": _password(), "role": role.value})
    plane.out.done(f"Added user {made['name']} ({made['role']})", made, then=f"sign in at {plane.client.url}/sign-in")


@app.command("role")
@remote(zone=False)
def set_role(
    plane: Remote, name: Name, role: Annotated[Role, typer.Argument(help="viewer: look; editor: look and change.", show_default=False)]
) -> None:
    """
    Give a user another role; it holds at once, in open sessions too.

    \b
    Example:
      hauberk user role ada editor
    """
    changed = plane.client.patch(_path(plane, name), {"role": role.value})
    plane.out.done(f"{changed['name']} is {changed['role']} now", changed)


@app.command("password")
@remote(zone=False)
def set_password(plane: Remote, name: Name) -> None:
    """
    Give a user another password; open sessions end. It is asked for, or read from standard input if that is no terminal.

    \b
    Example:
      hauberk user password ada
    """
    path = _path(plane, name)
    changed = plane.client.patch(path, {"password": _password()})
    plane.out.done(f"{changed['name']} has a new password, and is signed out everywhere", changed)


@app.command("disable")
@remote(zone=False)
def disable(
    plane: Remote,
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let a disabled user in again.", show_default=False)] = False,
) -> None:
    """
    Shut a user out: open sessions end, and no password opens another.

    \b
    Examples:
      hauberk user disable ada
      hauberk user disable ada --undo
    """
    changed = plane.client.patch(_path(plane, name), {"disabled": not undo})
    plane.out.done(f"{changed['name']} {'may sign in again' if undo else 'is disabled, and signed out everywhere'}", changed)


@app.command("remove")
@remote(zone=False)
def remove(plane: Remote, name: Name) -> None:
    """
    Remove a user; open sessions end.

    \b
    Example:
      hauberk user remove ada
    """
    removed = plane.client.delete(_path(plane, name))
    plane.out.done(f"Removed user {removed['name']}", removed)


@app.command("link")
@remote(zone=False)
def link(plane: Remote) -> None:
    """
    Make a link that signs you in to the dashboard, once and within an hour, with the rights of your token.

    \b
    Example:
      hauberk user link
    """
    made = plane.client.post("/hauberk/v1/sign-in-links", None)
    plane.out.done("Open this in a browser within an hour; it signs in once, and whoever has it is you:", made)
    if not plane.out.as_json:
        plane.out.line(str(made["url"]))


def _path(plane: Remote, name: str) -> str:
    """Find a user by name, or by id."""
    users: list[Mapping[str, Any]] = list(plane.client.pages("/hauberk/v1/users"))
    found = [user for user in users if user["name"].casefold() == name.casefold()] or [user for user in users if user["id"] == name]
    if not found:
        raise Failure(f"there is no user '{name}'", "'hauberk user list' shows those there are")
    return route("hauberk/v1/users", str(found[0]["id"]))


def _password() -> str:
    """Ask twice at a terminal; else take the first line of standard input."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
        return asked
    line = sys.stdin.readline(_LARGEST).removesuffix("\n").removesuffix("\r")
    if not line:
        raise Failure("there is no password on standard input", "run this at a terminal to be asked for it, or pipe it in")
    return line
