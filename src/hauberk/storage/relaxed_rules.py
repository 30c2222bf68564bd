"""Rules that owners have relaxed, by operation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

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


def rules_relaxed(session: Session, operation_ids: Sequence[str]) -> dict[str, list[str]]:
    """List the relaxed rules of operations, in no order; those without any are left out. The ids fit in one statement."""
    found: dict[str, list[str]] = {}
    for operation_id, rule in session.execute(
        select(RelaxedRule.operation_id, RelaxedRule.rule).where(RelaxedRule.operation_id.in_(operation_ids))
    ):
        found.setdefault(operation_id, []).append(rule)
    return found


def relax(session: Session, operation_id: str, rules: Sequence[str], kin: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """
    Relax rules of an operation, and tell which were not relaxed before.

    Args:
        session: A session that writes.

        operation_id: The operation.

        rules: As `Statement.rule`.

        kin: For some of them, rules that are not stated and would be in their place; they are relaxed and restored with them.

    Raises:
        InvalidRequest: If there are too many, or one is too long.
    """
    there = {row.rule: row for row in relaxed_rules(session, operation_id)}
    new = [rule for rule in dict.fromkeys(rules) if rule not in there or there[rule].because is not None]
    if sum(row.because is None for row in there.values()) + len(new) > MAX_RULES:
        raise InvalidRequest(f"no more than {MAX_RULES} rules of an operation can be relaxed: withdraw its learned schema instead")
    if any(len(rule) > MAX_RULE_CHARACTERS for rule in new):
        raise InvalidRequest(f"a rule has {MAX_RULE_CHARACTERS} characters at most")
    because = {one: rule for rule in new for one in (kin or {}).get(rule, ()) if one not in there} | dict.fromkeys(new)
    for rule, cause in because.items():
        if rule in there:
            there[rule].because = None  # it is meant itself now
        else:
            session.add(RelaxedRule(operation_id=operation_id, digest=_digest(rule), rule=rule, because=cause))
    session.flush()
    return new


def restore(session: Session, operation_id: str, rule: str) -> None:
    """
    Take it back that a rule was relaxed.

    Raises:
        NotFound: If it was not.
    """
    row = session.get(RelaxedRule, (operation_id, _digest(rule)))
    if row is None or row.because is not None:
        raise NotFound(f"the rule '{rule[:200]}' of this operation is not relaxed")
    for one in relaxed_rules(session, operation_id):
        if one is row or one.because == rule:
            session.delete(one)
    session.flush()


def _digest(rule: str) -> str:
    return hashlib.sha256(rule.encode(errors="replace")).hexdigest()
