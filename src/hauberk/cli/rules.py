"""
The rules that commands keep in a zone's ruleset, each known by its `ref`: made once, changed in place, left alone otherwise.

Rules that people wrote themselves are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hauberk import config
from hauberk.cli.client import Client, route
from hauberk.cli.failure import Failure, Refused
from hauberk.rule import ENFORCED_PHASE


@dataclass(frozen=True)
class Wanted:
    """A rule as it should be."""

    ref: str

    expression: str

    action: str

    description: str

    first: bool
    """Before all other rules, else after them."""


def mtls_ref(host: str) -> str:
    """Name the rule that requires certificates on a host."""
    return f"hauberk_mtls_{host}"


def fallthrough_ref(host: str) -> str:
    """Name the rule about requests outside of saved operations."""
    return f"hauberk_fallthrough_{host}"


def exact_host(host: str) -> str:
    """
    Check a host name that goes into an expression.

    Raises:
        Failure: If it is a wildcard or no host name.
    """
    try:
        name = config.host_name(host)
    except ValueError as error:
        raise Failure(f"'{host}' {error}") from None
    if name.startswith("*."):
        raise Failure(f"'{host}' is a wildcard, but a rule compares whole host names", "name each host, one call a host")
    return name


def listed(client: Client, zone_id: str) -> list[dict[str, Any]]:
    """List the zone's rules in the order they are asked."""
    entrypoint = _entrypoint(client, zone_id)
    return list(entrypoint.get("rules") or []) if entrypoint is not None else []


def ensure(client: Client, zone_id: str, wanted: Wanted) -> dict[str, Any]:
    """Make the rule, or bring the one with its `ref` in line; the rule as it is now."""
    entrypoint = _entrypoint(client, zone_id)
    body = {
        "ref": wanted.ref,
        "expression": wanted.expression,
        "action": wanted.action,
        "description": wanted.description,
        "enabled": True,
    }
    if entrypoint is None:
        ruleset = client.put(route("client/v4/zones", zone_id, "rulesets", "phases", ENFORCED_PHASE, "entrypoint"), {"rules": [body]})
        return _with_ref(ruleset, wanted.ref) or {}
    rules = list(entrypoint.get("rules") or [])
    present = _with_ref(entrypoint, wanted.ref)
    in_place = present is not None and _in_place(rules, present, first=wanted.first)
    if present is not None and in_place and all(present.get(name) == value for name, value in body.items()):
        return present
    # Places count from 1; a rule that is left out of the list for a moment would let requests through, so it is moved, not made anew.
    place = 1 if wanted.first else len(rules) + (0 if present is not None else 1)
    body |= {"position": {"index": place}}
    path = ["client/v4/zones", zone_id, "rulesets", entrypoint["id"], "rules"]
    ruleset = client.post(route(*path), body) if present is None else client.patch(route(*path, present["id"]), body)
    return _with_ref(ruleset, wanted.ref) or {}


def remove(client: Client, zone_id: str, ref: str) -> bool:
    """Delete the rule with this `ref`; whether there was one."""
    entrypoint = _entrypoint(client, zone_id)
    present = _with_ref(entrypoint, ref) if entrypoint is not None else None
    if entrypoint is None or present is None:
        return False
    client.delete(route("client/v4/zones", zone_id, "rulesets", entrypoint["id"], "rules", present["id"]))
    return True


def _in_place(rules: list[dict[str, Any]], rule: dict[str, Any], *, first: bool) -> bool:
    """Tell whether only rules of the same kind, for other hosts, stand before it, or after it."""
    place = next(i for i, other in enumerate(rules) if other["id"] == rule["id"])
    prefix = mtls_ref("") if first else fallthrough_ref("")
    return all(str(other.get("ref", "")).startswith(prefix) for other in (rules[:place] if first else rules[place + 1 :]))


def _entrypoint(client: Client, zone_id: str) -> dict[str, Any] | None:
    try:
        return dict(client.get(route("client/v4/zones", zone_id, "rulesets", "phases", ENFORCED_PHASE, "entrypoint")))
    except Refused as error:
        if error.http_status == 404:  # no rule was ever made in this zone
            return None
        raise


def _with_ref(ruleset: dict[str, Any], ref: str) -> dict[str, Any] | None:
    return next((rule for rule in ruleset.get("rules") or [] if rule.get("ref") == ref), None)
