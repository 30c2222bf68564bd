"""
An uploaded OpenAPI document as the control plane knows it: what it declares, under which host, and what will not be enforced.

The Rust core reads the document (`hauberk._native.check_document`). Here its operations are given hosts of the zone and the spelling
of saved operations, so that the two can be compared. Nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hauberk import _native
from hauberk.errors import InvalidRequest, InvalidSchema
from hauberk.operation import OperationKey, is_in_zone, normalise_endpoint, normalise_host, normalise_method

# Beside the core's codes, of which none is used twice (`crates/openapi/src/problem.rs`).
NO_HOST = 211
"""Error: no server tells a host, and the zone does not tell it either."""

UNUSABLE_HOST = 212
"""Warning: a server's host cannot be a saved operation's host."""

OUTSIDE_ZONE = 213
"""Warning: a server's host is not in the zone."""

NOT_TEXT = 101
"""Critical: the same code as for a document that is neither JSON nor YAML."""


@dataclass(frozen=True)
class DeclaredOperation:
    """One operation of a document on one host."""

    key: OperationKey

    path: str
    """The key in the document's `paths`, byte for byte: the gateway finds the operation's schema by it."""

    def as_json(self) -> dict[str, Any]:
        """Give the form in which it is stored."""
        return {"method": self.key.method, "path": self.path, "host": self.key.host, "endpoint": self.key.endpoint}


@dataclass(frozen=True)
class UploadedDocument:
    """A document that is accepted."""

    title: str
    source: str
    operations: tuple[DeclaredOperation, ...]
    warnings: tuple[dict[str, Any], ...]
    """Each `{"code", "message", "locations"}`."""


@dataclass(frozen=True)
class Place:
    """Where a document is to be enforced."""

    zone_name: str
    host_names: tuple[str, ...]
    """The zone's hosts; wildcards may be among them."""

    host: str | None = None
    """Stands in for servers that are relative, missing or outside the zone."""

    @classmethod
    def of(cls, zone_name: str, host_names: Iterable[str], host: str | None) -> Place:
        """
        Make a place, the host normalised.

        Raises:
            InvalidRequest: If the host is no host, or outside the zone.
        """
        if host is not None:
            try:
                host = normalise_host(host)
            except ValueError as error:
                raise InvalidRequest(f"the query parameter host {error}") from None
            if not is_in_zone(host, zone_name):
                raise InvalidRequest(f"the query parameter host must be a name at or below the zone '{zone_name}'")
        return cls(zone_name, tuple(host_names), host)

    def host_for_relative_servers(self) -> str:
        """
        Tell the host of operations whose servers tell none.

        Raises:
            InvalidSchema: If that is not clear.
        """
        if self.host is not None:
            return self.host
        names = [name for name in self.host_names if not name.startswith("*.")]
        if len(names) == 1:
            return names[0]
        which = f"the zone has {', '.join(sorted(names)[:10])}" if names else f"the zone '{self.zone_name}' has no host by name"
        raise _refusal(
            NO_HOST,
            f"the document names no server with a host, and {which}: say which one is meant with the query parameter host=NAME, "
            "or write absolute URLs under servers",
            [".servers"],
        )


def decode_source(data: bytes) -> str:
    """
    Decode an uploaded file.

    Raises:
        InvalidSchema: If it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(NOT_TEXT, f"the document is not UTF-8: byte {error.start} cannot be read; save it as UTF-8", []) from None


def read_document(source: str, place: Place) -> UploadedDocument:
    """
    Check a document and give its operations the hosts of a zone.

    Args:
        source: JSON or YAML text.

        place: Where it is to be enforced.

    Raises:
        InvalidSchema: If it is refused, with everything that is wrong with it.
    """
    source = source.removeprefix("\ufeff")
    report = _native.check_document(source.encode())
    problems: list[dict[str, Any]] = report["problems"]
    if not report["ok"]:
        raise InvalidSchema(_summary(problems), problems)
    try:
        operations, warnings = _place_operations(report["operations"], place)
    except InvalidSchema as error:
        raise InvalidSchema(error.message, [*error.problems, *problems]) from None
    return UploadedDocument(
        title=report["title"],
        source=source,
        operations=tuple(operations),
        warnings=tuple(_without_severity(problem) for problem in [*warnings, *problems]),
    )


def _place_operations(declared: Sequence[dict[str, Any]], place: Place) -> tuple[list[DeclaredOperation], list[dict[str, Any]]]:
    operations: dict[OperationKey, DeclaredOperation] = {}
    warnings: dict[str, dict[str, Any]] = {}
    hosts_of: dict[tuple[str, ...], list[str]] = {}  # a document has few sets of servers for many operations
    for entry in declared:
        named = tuple(entry["hosts"])
        if named not in hosts_of:
            hosts_of[named] = _hosts(named, place, warnings)
        method, endpoint = normalise_method(entry["method"]), _endpoint(entry)
        for host in hosts_of[named]:
            key = OperationKey(method, host, endpoint)
            operations.setdefault(key, DeclaredOperation(key, entry["path"]))
    return list(operations.values()), list(warnings.values())


def _endpoint(entry: dict[str, Any]) -> str:
    try:
        return normalise_endpoint(entry["endpoint"])
    except ValueError as error:
        place = f'.paths["{entry["path"]}"].{entry["method"].lower()}'
        raise _refusal(120, f"the endpoint, which is the server's path and the operation's, {error}", [place]) from None


def _hosts(named: tuple[str, ...], place: Place, warnings: dict[str, dict[str, Any]]) -> list[str]:
    hosts: list[str] = []
    for name in named:
        try:
            # The gateway serves a host on whatever port it listens, which is seldom the one the document was written for.
            host = normalise_host(name if name.endswith("]") else name.rpartition(":")[0] or name)
        except ValueError as error:
            warnings[name] = _problem("warning", UNUSABLE_HOST, f"the server host '{name[:255]}' is not used: it {error}", [".servers"])
            continue
        if is_in_zone(host, place.zone_name):
            hosts.append(host)
        elif place.host is None:
            hosts.append(host)
            warnings[name] = _problem(
                "warning",
                OUTSIDE_ZONE,
                f"the server host '{host}' is not in the zone '{place.zone_name}', so no request reaches its operations here; "
                "to enforce the document on another host, upload it with the query parameter host=NAME",
                [".servers"],
            )
    return hosts or [place.host_for_relative_servers()]


def _summary(problems: Sequence[dict[str, Any]]) -> str:
    faults = [problem for problem in problems if problem["severity"] != "warning"]
    first = faults[0]["message"] if faults else "it cannot be read"
    others = f" (and {len(faults) - 1} more: see upload_details)" if len(faults) > 1 else ""
    return f"the OpenAPI document is refused: {first}{others}"


def _refusal(code: int, message: str, locations: list[str]) -> InvalidSchema:
    severity = "critical" if code == NOT_TEXT else "error"
    return InvalidSchema(message, [_problem(severity, code, message, locations)])


def _problem(severity: str, code: int, message: str, locations: list[str]) -> dict[str, Any]:
    return {"severity": severity, "code": code, "message": message, "locations": locations}


def _without_severity(problem: dict[str, Any]) -> dict[str, Any]:
    return {"code": problem["code"], "message": problem["message"], "locations": problem["locations"]}
