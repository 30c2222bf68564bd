"""Learned operations as OpenAPI documents, one for each host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from hauberk.learned_schema import LearnedOperation

Version = Literal["3.0.3", "3.1.0"]


def documents(
    learned: Iterable[LearnedOperation],
    *,
    version: Version = "3.0.3",
    evidence: bool = True,
    title: str = "Learned schema",
) -> list[tuple[str, dict[str, Any]]]:
    """
    Write OpenAPI documents.

    Args:
        learned: Operations, each at most once.

        version: Of OpenAPI.

        evidence: Whether `x-hauberk-evidence` stands at each parameter and schema.

        title: Of each document; the host is added.

    Returns:
        Host and document, by host. The same operations give the same documents, in whatever order they come.
    """
    by_host: dict[str, list[LearnedOperation]] = defaultdict(list)
    for operation in learned:
        by_host[operation.key.host].append(operation)
    return [(host, _document(host, found, version, evidence, title)) for host, found in sorted(by_host.items())]


def _document(host: str, found: list[LearnedOperation], version: Version, evidence: bool, title: str) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in sorted(found, key=lambda operation: (operation.key.endpoint, operation.key.method)):
        written = _written(operation.operation, version, evidence)
        paths.setdefault(operation.key.endpoint, {})[operation.key.method.lower()] = written
    return {
        "openapi": version,
        "info": {"title": f"{title}: {host}", "version": "1"},
        "servers": [_server(host)],
        "paths": paths,
    }


def _server(host: str) -> dict[str, Any]:
    """The host; its variables have a default because OpenAPI asks for one."""
    names = [part.partition("}")[0] for part in host.split("{")[1:]]
    server: dict[str, Any] = {"url": f"https://{host}"}
    return server | {"variables": {name: {"default": name.lower()} for name in names}} if names else server


def _written(value: Any, version: Version, evidence: bool) -> Any:
    """A copy of a part of a document in the asked version."""
    if isinstance(value, Mapping):
        kept = {name: _written(item, version, evidence) for name, item in value.items() if evidence or name != "x-hauberk-evidence"}
        if version == "3.1.0" and kept.get("nullable") is True and isinstance(kept.get("type"), str):
            del kept["nullable"]
            kept["type"] = [kept["type"], "null"]
        return kept
    if isinstance(value, list):
        return [_written(item, version, evidence) for item in value]
    return value
