"""Rulesets: a zone's ordered rules and each way to change them; every change counts up the ruleset's version, and a changed rule's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.errors import Conflict, InvalidRequest, NotFound
from hauberk.mitigation import RuleAction
from hauberk.rule import ENFORCED_PHASE, MAX_RULES, RuleDefinition
from hauberk.storage.models import Rule, Ruleset, new_hex_id, now


@dataclass(frozen=True)
class Position:
    """Where a rule is to stand: before or after another (an empty id: first, last), or at an index from 1. One of the three."""

    before: str | None = None
    after: str | None = None
    index: int | None = None


LAST = Position(after="")


def find_entrypoint(session: Session, zone_id: str) -> Ruleset | None:
    """Find a zone's ruleset of the phase that is enforced; there is none before it is first written."""
    return session.scalar(select(Ruleset).where(Ruleset.zone_id == zone_id, Ruleset.phase == ENFORCED_PHASE))


def find_ruleset(session: Session, zone_id: str, ruleset_id: str, if_version: int | None = None) -> Ruleset:
    """
    Find a ruleset by id.

    Raises:
        NotFound: If the zone has none of this id.
        Conflict: If it is not at the version that was asked for.
    """
    ruleset = session.get(Ruleset, ruleset_id.lower()) if "\0" not in ruleset_id else None
    if ruleset is None or ruleset.zone_id != zone_id:
        raise NotFound(f"the zone has no ruleset '{ruleset_id[:64]}': GET …/rulesets lists those there are")
    check_version(ruleset, if_version)
    return ruleset


def check_version(ruleset: Ruleset, if_version: int | None) -> None:
    """
    Refuse a change that was thought out for another version; `None` asks for none.

    Raises:
        Conflict: If the ruleset is at another one.
    """
    if if_version is not None and ruleset.version != if_version:
        raise Conflict(
            f"the rules were changed meanwhile: they are at version {ruleset.version}, and this change was made for version {if_version}. "
            "Look at them again, then repeat it"
        )


def add_ruleset(session: Session, zone_id: str) -> Ruleset:
    """Make the ruleset of the phase that is enforced, empty; `replace_rules` makes its first version."""
    ruleset = Ruleset(id=new_hex_id(), zone_id=zone_id, phase=ENFORCED_PHASE, version=0)
    session.add(ruleset)
    session.flush()
    return ruleset


def rules_of(session: Session, ruleset: Ruleset) -> list[Rule]:
    """List a ruleset's rules in the order they are tried."""
    return list(session.scalars(select(Rule).where(Rule.ruleset_id == ruleset.id).order_by(Rule.position)))


def find_rule(rules: Sequence[Rule], rule_id: str) -> Rule:
    """
    Find a rule by id among those of its ruleset.

    Raises:
        NotFound: If it is not there.
    """
    for rule in rules:
        if rule.id == rule_id.lower():
            return rule
    raise NotFound(f"the ruleset has no rule '{rule_id[:64]}'")


def replace_rules(session: Session, ruleset: Ruleset, definitions: Sequence[RuleDefinition]) -> list[Rule]:
    """
    Put other rules in place of a ruleset's. One that names a present rule by id or ref becomes its new form and keeps its id.

    Raises:
        InvalidRequest: If two have one id or ref.
    """
    present = rules_of(session, ruleset)
    by_id, by_ref = {rule.id: rule for rule in present}, {rule.ref: rule for rule in present}
    kept: dict[str, Rule] = {}
    rules: list[Rule] = []
    for index, definition in enumerate(definitions):
        rule = by_id.get((definition.id or "").lower()) or by_ref.get(definition.ref or "")
        if rule is not None and rule.id in kept:
            raise InvalidRequest(f"two rules of the list are the rule '{rule.id}'", pointer=f"/rules/{index}/id")
        if rule is None:
            rule = _new_rule(ruleset, definition)
            session.add(rule)
        else:
            kept[rule.id] = rule
            change_rule(rule, changes_of(definition))
        rules.append(rule)
    for rule in present:
        if rule.id not in kept:
            session.delete(rule)
    _check_refs(rules, "/rules")
    _renumber(rules)
    _count_up(ruleset)
    return rules


def add_rule(session: Session, ruleset: Ruleset, definition: RuleDefinition, position: Position = LAST) -> list[Rule]:
    """
    Add one rule.

    Returns:
        All rules in their new order.

    Raises:
        InvalidRequest: If the ruleset is full, the position names no place in it, or the ref is taken.
    """
    rules = rules_of(session, ruleset)
    if len(rules) >= MAX_RULES:
        raise InvalidRequest(f"the ruleset has {MAX_RULES} rules already, which is the limit: join some with 'or', or delete some")
    rule = _new_rule(ruleset, definition)
    _insert(rules, rule, position)
    _check_refs(rules, "")
    session.add(rule)
    _renumber(rules)
    _count_up(ruleset)
    return rules


def edit_rule(session: Session, ruleset: Ruleset, rule_id: str, changes: Mapping[str, Any], position: Position | None) -> list[Rule]:
    """
    Change a rule, its place, or both; what is not named stays.

    Returns:
        All rules in their new order.

    Raises:
        NotFound: If the ruleset has no such rule.
        InvalidRequest: If the position names no place in it, or the ref is taken.
    """
    rules = rules_of(session, ruleset)
    rule = find_rule(rules, rule_id)
    change_rule(rule, changes)
    if position is not None:
        rules.remove(rule)
        _insert(rules, rule, position)
    _check_refs(rules, "")
    _renumber(rules)
    _count_up(ruleset)
    return rules


def delete_rule(session: Session, ruleset: Ruleset, rule_id: str) -> list[Rule]:
    """
    Delete one rule.

    Returns:
        The rules that are left.

    Raises:
        NotFound: If the ruleset has no such rule.
    """
    rules = rules_of(session, ruleset)
    rule = find_rule(rules, rule_id)
    rules.remove(rule)
    session.delete(rule)
    _renumber(rules)
    _count_up(ruleset)
    return rules


def change_rule(rule: Rule, changes: Mapping[str, Any]) -> None:
    """Change columns of a rule; its version counts up if that makes a difference."""
    different = {name: value for name, value in changes.items() if getattr(rule, name) != value}
    for name, value in different.items():
        setattr(rule, name, value)
    if different:
        rule.version += 1
        rule.last_updated = now()


def _new_rule(ruleset: Ruleset, definition: RuleDefinition) -> Rule:
    id_ = new_hex_id()
    return Rule(id=id_, ruleset_id=ruleset.id, version=1, last_updated=now(), **({"ref": id_} | changes_of(definition)))


def changes_of(definition: RuleDefinition) -> dict[str, Any]:
    """Give the columns of a rule that a definition sets."""
    changes: dict[str, Any] = {
        "action": definition.action.value,
        "action_parameters": definition.action_parameters,
        "expression": definition.expression,
        "description": definition.description,
        "enabled": definition.enabled,
    }
    return changes if definition.ref is None else changes | {"ref": definition.ref}


def parameters_of(action: RuleAction) -> dict[str, Any]:
    """Give the two columns that go with an action."""
    definition = RuleDefinition(action, "")
    return {"action": action.value, "action_parameters": definition.action_parameters}


def _insert(rules: list[Rule], rule: Rule, position: Position) -> None:
    if position.index is not None:
        if not 1 <= position.index <= len(rules) + 1:
            raise InvalidRequest(f"the index must be from 1 to {len(rules) + 1}", pointer="/position/index")
        rules.insert(position.index - 1, rule)
        return
    name, other = ("before", position.before) if position.before is not None else ("after", position.after or "")
    if not other:
        rules.insert(0 if name == "before" else len(rules), rule)
        return
    at = next((index for index, present in enumerate(rules) if present.id == other.lower()), None)
    if at is None:
        raise InvalidRequest(f"the ruleset has no other rule '{other[:64]}' to stand {name}", pointer=f"/position/{name}")
    rules.insert(at if name == "before" else at + 1, rule)


def _check_refs(rules: Collection[Rule], pointer: str) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.ref in seen:
            raise InvalidRequest(
                f"two rules have the ref '{rule.ref}': a ref is a rule's own name in its ruleset",
                pointer=f"{pointer}/{index}/ref" if pointer else "/ref",
            )
        seen.add(rule.ref)


def _renumber(rules: Sequence[Rule]) -> None:
    for position, rule in enumerate(rules):
        if rule.position != position:
            rule.position = position


def _count_up(ruleset: Ruleset) -> None:
    ruleset.version += 1
    ruleset.last_updated = now()
