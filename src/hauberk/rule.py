"""A rule's noun, and what may stand in one; the language of expressions itself is compiled in Rust."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hauberk import _native
from hauberk.errors import InvalidExpression
from hauberk.expression import Condition, quoted
from hauberk.mitigation import RuleAction

ENFORCED_PHASE = "http_request_firewall_custom"
MAX_RULES = 1000
# Roomier than the language's own limit, whose message is the better one.
MAX_EXPRESSION_CHARACTERS = 8192

SKIP_PARAMETERS = {"ruleset": "current"}
"""The only parameters an action has here: `skip` leaves out the rest of its own ruleset."""


@dataclass(frozen=True)
class RuleDefinition:
    """What an owner says of a rule; id, version and time are the store's."""

    action: RuleAction
    expression: str
    description: str = ""
    enabled: bool = True
    ref: str | None = None
    """The owner's own name for the rule, unique in its ruleset; `None` means the rule's id."""

    id: str | None = None
    """In a list that replaces a ruleset's rules: the present rule this one is the new form of."""

    @property
    def action_parameters(self) -> dict[str, Any] | None:
        """The action's parameters."""
        return dict(SKIP_PARAMETERS) if self.action is RuleAction.SKIP else None


def check_expression(expression: str, pointer: str) -> None:
    """
    Compile an expression and throw the result away.

    Args:
        expression: In the rules language.

        pointer: JSON pointer to it in the request.

    Raises:
        InvalidExpression: If it does not compile; the message names the column, what stands there and what was expected.
    """
    try:
        _native.check_expression(expression)
    except _native.ExpressionError as error:
        raise InvalidExpression(f"the expression does not compile: {error}", pointer=pointer) from None


def mutual_tls_ref(host: str) -> str:
    """Name the rule that is kept for a host which demands certificates; with an empty name: how all of them begin."""
    return f"hauberk_mtls_{host}"


def fallthrough_ref(host: str) -> str:
    """Name the rule that is kept for a host's requests outside of saved operations; with an empty name: how all of them begin."""
    return f"hauberk_fallthrough_{host}"


def mutual_tls_expression(host: str, methods: Sequence[str] = (), paths: Sequence[str] = ()) -> str:
    """
    Write the expression of requests to a host without a certificate that is verified and not revoked.

    Args:
        host: A host, no wildcard.

        methods: Only requests with one of these; none means all.

        paths: Only requests for exactly one of these; none means all.
    """
    parts = [f"http.host eq {quoted(host)}"]
    for field, values in (("http.request.method", methods), ("http.request.uri.path", paths)):
        if values:
            parts.append(str(Condition(field, "in" if len(values) > 1 else "eq", tuple(values))))
    return f"({' and '.join(parts)} and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))"


def fallthrough_of_host_expression(host: str) -> str:
    """Write the expression of requests to one host that match no saved operation."""
    return f"(http.host eq {quoted(host)} and cf.api_gateway.fallthrough_detected)"


def fallthrough_expression(hosts: Iterable[str]) -> str:
    """Write the expression of requests to hosts that match no saved operation."""
    listed = " ".join(f'"{host}"' for host in hosts)
    return f"(cf.api_gateway.fallthrough_detected and http.host in {{{listed}}})"
