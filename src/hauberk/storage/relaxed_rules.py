"""Rules that owners have relaxed, by operation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.errors import InvalidRequest, NotFound
from hauberk.storage.alert_tables import RelaxedRule

MAX_RULE_CHARACTERS = 4096
MAX_RULES = 1000


def relaxed_rules(session: Session, operation_id: str) -> list[RelaxedRule]:
    """List the relaxed rules of an operation, in the order in which they were relaxed."""
    query = select(RelaxedRule).where(RelaxedRule.operation_id == operation_id).order_by(RelaxedRule.relaxed_at, RelaxedRule.rule)
    return list(session.scalars(query))


def relax(session: Session, operation_id: str, rules: Sequence[str]) -> list[str]:
    """
    Relax rules of an operation, and tell which were not relaxed before.

    Raises:
        InvalidRequest: If there are too many, or one is too long.
    """
    there = {row.rule for row in relaxed_rules(session, operation_id)}
    new = [rule for rule in dict.fromkeys(rules) if rule not in there]
    if len(there) + len(new) > MAX_RULES:
        raise InvalidRequest(f"no more than {MAX_RULES} rules of an operation can be relaxed: withdraw its learned schema instead")
    if any(len(rule) > MAX_RULE_CHARACTERS for rule in new):
        raise InvalidRequest(f"a rule has {MAX_RULE_CHARACTERS} characters at most")
    session.add_all(RelaxedRule(operation_id=operation_id, digest=_digest(rule), rule=rule) for rule in new)
    session.flush()
    return new


def restore(session: Session, operation_id: str, rule: str) -> None:
    """
    Take it back that a rule was relaxed.

    Raises:
        NotFound: If it was not.
    """
    row = session.get(RelaxedRule, (operation_id, _digest(rule)))
    if row is None:
        raise NotFound(f"the rule '{rule[:200]}' of this operation is not relaxed")
    session.delete(row)
    session.flush()


def _digest(rule: str) -> str:
    return hashlib.sha256(rule.encode(errors="replace")).hexdigest()
