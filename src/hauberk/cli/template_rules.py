"""`hauberk discovery rules`: what the owner knows better about path templates than discovery does."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hauberk.cli.failure import Failure
from hauberk.cli.remote import Remote, remote
from hauberk.template_rule import has_variable, segments

app = typer.Typer(
    no_args_is_help=True,
    help="Your rules on path templates: they outlast every look at the traffic, and never touch saved operations.",
)

ANY_METHOD = "ANY"
NEXT = "hauberk discovery refresh"

MethodArgument = Annotated[str, typer.Argument(help="E.g. GET; ANY for all methods.", show_default=False)]
HostArgument = Annotated[str, typer.Argument(help="E.g. api.example.com.", show_default=False)]


@app.command("list")
@remote()
def list_rules(plane: Remote) -> None:
    """
    List the rules, the oldest first.

    \b
    Example:
      hauberk discovery rules list
    """
    columns: dict[str, Any] = {
        "KIND": "kind",
        "METHOD": lambda rule: rule["method"] or ANY_METHOD,
        "HOST": "host",
        "ENDPOINT": "endpoint",
        "SEGMENT": lambda rule: None if rule["segment"] is None else segments(rule["endpoint"])[rule["segment"]],
        "ID": "id",
    }
    rows = list(plane.client.pages(plane.own_zone_path("discovery", "templates")))
    plane.out.table(rows, columns, empty="there are no rules: discovery decides alone")


@app.command("pin")
@remote()
def pin(
    plane: Remote,
    method: MethodArgument,
    host: HostArgument,
    endpoint: Annotated[str, typer.Argument(help="The template, e.g. /users/{id} or /users/me.", show_default=False)],
) -> None:
    """
    Say that a template is one operation: what fits it is that, whatever the values look like.

    \b
    Examples:
      hauberk discovery rules pin GET api.example.com "/shops/{name}"
      hauberk discovery rules pin ANY api.example.com /users/me
    """
    _add(plane, method, host, {"kind": "pin", "endpoint": endpoint})


@app.command("split")
@remote()
def split(
    plane: Remote,
    method: MethodArgument,
    host: HostArgument,
    endpoint: Annotated[str, typer.Argument(help="The template as it was found, e.g. /{var1}/items.", show_default=False)],
    variable: Annotated[str, typer.Argument(help="The variable that holds words, e.g. var1.", show_default=False)] = "var1",
) -> None:
    """
    Say that a variable is none: its values are words, each an operation of its own.

    \b
    Example:
      hauberk discovery rules split GET api.example.com "/{var1}/items" var1
    """
    wanted = "{" + variable.strip("{}") + "}"
    places = [at for at, segment in enumerate(segments(endpoint)) if wanted in segment]
    if not places:
        variables = [segment for segment in segments(endpoint) if has_variable(segment)]
        hint = f"it has {', '.join(variables)}" if variables else "it has no variable to split"
        raise Failure(f"{endpoint} has no variable {wanted}", hint, status=2)
    _add(plane, method, host, {"kind": "split", "endpoint": endpoint, "segment": places[0]})


@app.command("merge")
@remote()
def merge(
    plane: Remote,
    method: MethodArgument,
    host: HostArgument,
    endpoints: Annotated[list[str], typer.Argument(help="Two or more that are one operation.", show_default=False)],
) -> None:
    """
    Say that several endpoints are one: where they differ there is a variable.

    \b
    Example:
      hauberk discovery rules merge GET api.example.com /shops/berlin /shops/paris
    """
    _add(plane, method, host, {"kind": "merge", "endpoints": endpoints})


@app.command("rename")
@remote()
def rename(
    plane: Remote,
    method: MethodArgument,
    host: HostArgument,
    endpoint: Annotated[str, typer.Argument(help="The template as it was found.", show_default=False)],
    to: Annotated[str, typer.Argument(help="The template it is to be, for the same paths.", show_default=False)],
) -> None:
    """
    Say a template differently: rules on the first one go, and the second is pinned.

    \b
    Example:
      hauberk discovery rules rename GET api.example.com "/files/{var1}" "/files/{name}.json"
    """
    _add(plane, method, host, {"kind": "rename", "endpoint": endpoint, "to": to})


@app.command("remove")
@remote()
def remove(
    plane: Remote, rule: Annotated[str, typer.Argument(help="Its id: 'hauberk discovery rules list' shows it.", show_default=False)]
) -> None:
    """
    Remove a rule; discovery decides again.

    \b
    Example:
      hauberk discovery rules remove 3f9c0e52a1d84b6f9e7a0c2b5d4e8f10
    """
    removed = plane.client.delete(plane.own_zone_path("discovery", "templates", rule))
    plane.out.done(f"Removed the {removed['kind']} of {removed['endpoint']}", removed, then=NEXT)


def _add(plane: Remote, method: str, host: str, body: dict[str, Any]) -> None:
    whose = {"host": host, "method": None if method.upper() == ANY_METHOD else method.upper()}
    added = plane.client.post(plane.own_zone_path("discovery", "templates", host=host), whose | body)
    told = f"{added['method'] or ANY_METHOD} {added['host']}{added['endpoint']}"
    plane.out.done(f"Pinned {told}" if added["kind"] == "pin" else f"Split {told}", added, then=NEXT)
