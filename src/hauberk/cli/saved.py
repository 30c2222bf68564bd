"""Finding saved operations by what a person writes: an id, or method, host and endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hauberk.cli.failure import Failure
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

OperationArgument = Annotated[
    list[str],
    typer.Argument(metavar="OPERATION", help="Its id, or method, host and endpoint: POST api.example.com /temps", show_default=False),
]


def find_operation(plane: Remote, words: list[str]) -> dict[str, Any]:
    """
    Find the operation that words name.

    Raises:
        Failure: If they name none.
    """
    if len(words) == 1 and _UUID.fullmatch(words[0]):
        return dict(plane.client.get(plane.zone_path("api_gateway", "operations", words[0])))
    if len(words) != 3:
        raise Failure("an operation is an id, or three words: method, host and endpoint", "e.g. POST api.example.com /temps", status=2)
    method, host, endpoint = words[0].upper(), words[1].lower(), words[2]
    path = plane.zone_path("api_gateway", "operations", host=host)
    for operation in plane.client.pages(path, host=host, method=method):
        if _nameless(operation["endpoint"]) == _nameless(endpoint):
            return operation
    raise Failure(f"{method} {host} {endpoint} is not a saved operation", f"'hauberk operation list --host {host}' shows those there are")


def named(operation: Mapping[str, Any]) -> str:
    """Write an operation for people."""
    return printable(f"{operation['method']} {operation['host']}{operation['endpoint']}")


def _nameless(endpoint: str) -> str:
    """Take the names out of a template's variables: saved ones are renamed, so `/users/{id}` is `/users/{var1}`."""
    return re.sub(r"\{[^{}/]*\}", "{}", endpoint)
