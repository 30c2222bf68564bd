"""Writes operations as OpenAPI documents, one for each host: all that is known of them is where they are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from hauberk.operation import OperationKey

# The methods a path item has in OpenAPI 3.0; CONNECT has no place there.
_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
_VARIABLE = re.compile(r"\{([^{}]+)\}")


class Listed(NamedTuple):
    """An operation to write."""

    key: OperationKey

    extension: dict[str, Any]
    """Members to add to the operation, or that take the place of those written by default: `x-…`, or what was learned."""


def documents(operations: Iterable[Listed], *, title: str) -> list[dict[str, Any]]:
    """
    Write an OpenAPI 3.0 document for each host, by the host's name.

    Args:
        operations: In any order.

        title: Stands before the host in each document's title.
    """
    by_host: dict[str, list[Listed]] = defaultdict(list)
    for operation in operations:
        by_host[operation.key.host].append(operation)
    return [_document(host, by_host[host], title) for host in sorted(by_host)]


def _document(host: str, operations: list[Listed], title: str) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for (method, _, endpoint), extension in sorted(operations, key=lambda listed: (listed.key.endpoint, listed.key.method)):
        if method in _METHODS:
            paths[endpoint][method.lower()] = _operation(endpoint) | extension
    return {
        "openapi": "3.0.0",
        "info": {"title": f"{title} {host}", "version": "1.0.0"},
        "servers": [_server(host)],
        "paths": dict(paths),
    }


def _server(host: str) -> dict[str, Any]:
    names = _VARIABLE.findall(host)
    # A server's variable needs a default; any label would do, so its own name stands there.
    variables = {"variables": {name: {"default": name} for name in names}} if names else {}
    return {"url": f"https://{host}"} | variables


def _operation(endpoint: str) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in dict.fromkeys(_VARIABLE.findall(endpoint))
    ]
    return ({"parameters": parameters} if parameters else {}) | {"responses": {"default": {"description": "Not described"}}}
