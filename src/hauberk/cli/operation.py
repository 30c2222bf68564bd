"""`hauberk operation`: the endpoints that are known, and what happens to requests that break their schema."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from hauberk.cli.remote import Remote, remote
from hauberk.cli.saved import OperationArgument, find_operation, named

app = typer.Typer(no_args_is_help=True, help="Saved operations: method, host and endpoint.")


class Action(StrEnum):
    """What a gateway does about a request that breaks the operation's schema."""

    NONE = "none"
    LOG = "log"
    BLOCK = "block"
    DEFAULT = "default"


@app.command("list")
@remote()
def list_operations(
    plane: Remote,
    host: Annotated[str | None, typer.Option(help="Only this host.", show_default=False)] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.", show_default=False)] = None,
    endpoint: Annotated[str | None, typer.Option(help="Only endpoints that contain this.", show_default=False)] = None,
) -> None:
    """
    List saved operations and their own action; '-' means the zone's default applies.

    \b
    Example:
      hauberk operation list --host api.example.com
    """
    path = plane.zone_path("api_gateway", "operations", host=host)
    query: dict[str, Any] = {"host": host, "method": method.upper() if method else None, "endpoint": endpoint, "order": "endpoint"}
    operations = list(plane.client.pages(path, feature="schema_info", **query))
    columns: dict[str, Any] = {
        "METHOD": "method",
        "HOST": "host",
        "ENDPOINT": "endpoint",
        "ACTION": lambda operation: _schema_info(operation).get("mitigation_action"),
        "SCHEMA": lambda operation: (_schema_info(operation).get("active_schema") or {}).get("name"),
        "ID": "operation_id",
    }
    plane.out.table(operations, columns, empty="no operations are saved: 'hauberk schema upload FILE' saves those of an OpenAPI document")


class TrafficOrder(StrEnum):
    """What `hauberk operation traffic` orders by."""

    REQUESTS = "requests"
    ERRORS = "error_share"
    SERVER_ERRORS = "server_errors"
    CLIENT_ERRORS = "client_errors"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"
    LAST_SEEN = "last_seen"
    STATE = "state"
    ENDPOINT = "endpoint"


@app.command("traffic")
@remote()
def traffic(
    plane: Remote,
    order: Annotated[TrafficOrder, typer.Option(help="What comes first.")] = TrafficOrder.REQUESTS,
    ascending: Annotated[bool, typer.Option("--ascending", help="The least first instead of the most.")] = False,
    search: Annotated[str | None, typer.Option(help="Only with this in 'METHOD host/path'.", show_default=False)] = None,
    host: Annotated[str | None, typer.Option(help="Only this host.", show_default=False)] = None,
    state: Annotated[
        str | None, typer.Option(help="Only: uploaded, drift, learned, not_applied, learning or none.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
) -> None:
    """
    Show requests, errors, latency and schema of saved operations over the last 24 hours.

    \b
    Examples:
      hauberk operation traffic
      hauberk operation traffic --order p95 --host api.example.com
      hauberk operation traffic --state not_applied
    """
    path = plane.own_zone_path("endpoints", host=host)
    direction = "asc" if ascending else "desc"
    query = {"search": search, "host": host, "state": state, "order": order.value, "direction": direction}
    rows = list(plane.client.pages(path, limit=limit, **query))
    columns: dict[str, Any] = {
        "METHOD": "method",
        "HOST": "host",
        "ENDPOINT": "endpoint",
        "REQUESTS": "requests",
        "4XX": "client_errors",
        "5XX": "server_errors",
        "P50 MS": lambda row: (row["latency_ms"] or {}).get("p50"),
        "P95 MS": lambda row: (row["latency_ms"] or {}).get("p95"),
        "P99 MS": lambda row: (row["latency_ms"] or {}).get("p99"),
        "SCHEMA": lambda row: row["schema"]["state"],
        "ACTION": lambda row: row["action"]["in_force"],
    }
    plane.out.table(rows, columns, empty="no saved operation is like this: 'hauberk operation list' shows all")


@app.command("save")
@remote()
def save(
    plane: Remote,
    method: Annotated[str, typer.Argument(help="E.g. GET.", show_default=False)],
    host: Annotated[str, typer.Argument(help="E.g. api.example.com.", show_default=False)],
    endpoint: Annotated[str, typer.Argument(help="A path; a variable is one segment: /users/{id}.", show_default=False)],
) -> None:
    """
    Save an operation. One that is there already stays as it is.

    \b
    Example:
      hauberk operation save GET api.example.com "/users/{id}"
    """
    body = {"method": method.upper(), "host": host, "endpoint": endpoint}
    saved = plane.client.post(plane.zone_path("api_gateway", "operations", "item", host=host), body)
    plane.out.done(f"Saved {named(saved)} ({saved['operation_id']})", saved)


@app.command("delete")
@remote()
def delete(plane: Remote, operation: OperationArgument) -> None:
    """
    Delete a saved operation; requests to it are no longer validated.

    \b
    Example:
      hauberk operation delete POST api.example.com /temps
    """
    found = find_operation(plane, operation)
    plane.client.delete(plane.zone_path("api_gateway", "operations", found["operation_id"], host=found["host"]))
    plane.out.done(f"Deleted {named(found)}", found)


@app.command("action")
@remote()
def action(
    plane: Remote,
    action: Annotated[Action, typer.Argument(help="none, log, block; default: what the zone does.", show_default=False)],
    operation: OperationArgument,
) -> None:
    """
    Decide what happens to requests that break one operation's schema.

    \b
    Examples:
      hauberk operation action log POST api.example.com /temps
      hauberk operation action default POST api.example.com /temps
    """
    found = find_operation(plane, operation)
    path = plane.zone_path("schema_validation", "settings", "operations", found["operation_id"], host=found["host"])
    result = plane.client.put(path, {"mitigation_action": None if action is Action.DEFAULT else action.value})
    meaning = "follow the zone's default" if action is Action.DEFAULT else f"lead to '{action.value}'"
    plane.out.done(f"Violations of {named(found)} {meaning}", result, then="hauberk status --wait")


def _schema_info(operation: dict[str, Any]) -> dict[str, Any]:
    return dict((operation.get("features") or {}).get("schema_info") or {})
