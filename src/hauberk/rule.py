"""A rule's noun, and what may stand in one; the language of expressions itself is compiled in Rust."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hauberk import _native
from hauberk.errors import InvalidExpression
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


def fallthrough_expression(hosts: Iterable[str]) -> str:
    """Write the expression of requests to hosts that match no saved operation."""
    listed = " ".join(f'"{host}"' for host in hosts)
    return f"(cf.api_gateway.fallthrough_detected and http.host in {{{listed}}})"
