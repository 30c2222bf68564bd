"""Whether a zone's rules demand a client certificate on a host: found out from the rules themselves, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hauberk import _native
from hauberk.expression import fields_of, holds, values_of
from hauberk.mitigation import RuleAction

Extent = Literal["none", "part", "all"]

_PREFIX = "cf.tls_client_auth."
_ABOUT_CERTIFICATES = frozenset({f"{_PREFIX}cert_presented", f"{_PREFIX}cert_verified"})


@dataclass(frozen=True)
class RuleReach:
    """An enabled rule, in the order rules are tried."""

    id: str
    action: RuleAction
    tree: Mapping[str, Any]
    """Its expression."""


@dataclass(frozen=True)
class Demand:
    """What becomes of callers without a certificate on a host."""

    extent: Extent
    """Of which requests one is demanded; `part` is those with some methods, paths or other traits."""

    action: RuleAction | None
    """What becomes of a caller without one."""

    rule_ids: tuple[str, ...]


def demand(rules: Iterable[RuleReach], host: str) -> Demand:
    """
    Find out what rules do with a request to a host that comes without a certificate.

    Args:
        rules: The zone's enabled rules in their order.

        host: A host in lower case; for a wildcard, rules on names below it count as `part`.
    """
    bare: dict[str, str | bool] = {name: "" if is_text else False for name, is_text, _ in _fields() if name.startswith(_PREFIX)}
    bare["http.host"] = host  # of a wildcard: a name that stands in no rule
    found: dict[RuleAction, Extent] = {}
    ids: list[str] = []
    some_skip = False
    for rule in rules:
        held = holds(rule.tree, bare)
        if host.startswith("*.") and any(
            holds(rule.tree, {**bare, "http.host": name}) is not held for name in values_of(rule.tree, "http.host") if _below(name, host)
        ):
            held = None
        if held is False:
            continue
        if rule.action is RuleAction.SKIP:
            if held:
                break
            some_skip = True
        elif fields_of(rule.tree) & _ABOUT_CERTIFICATES:
            ids.append(rule.id)
            whole = bool(held) and not some_skip
            found[rule.action] = "all" if whole or found.get(rule.action) == "all" else "part"
    for action in (RuleAction.BLOCK, RuleAction.LOG):
        if action in found:
            return Demand(found[action], action, tuple(ids))
    return Demand("none", None, ())


def _below(name: str, wildcard: str) -> bool:
    return name.partition(".")[2] == wildcard.removeprefix("*.")


def _fields() -> list[tuple[str, bool, str]]:
    return _native.expression_fields()
