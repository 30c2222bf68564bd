"""
The rules that are kept for hosts, each known by its `ref`: made once, changed in place, left alone otherwise.

Rules that people wrote themselves are never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from hauberk.rule import RuleDefinition
from hauberk.storage.models import Rule
from hauberk.storage.rulesets import LAST, Position, add_rule, add_ruleset, changes_of, delete_rule, edit_rule, find_entrypoint, rules_of

Place = Literal["first", "last"]


def kept_rules(session: Session, zone_id: str, prefix: str) -> dict[str, Rule]:
    """Give the rules whose `ref` begins like this, by what follows."""
    ruleset = find_entrypoint(session, zone_id)
    rules = rules_of(session, ruleset) if ruleset is not None else []
    return {rule.ref.removeprefix(prefix): rule for rule in rules if rule.ref.startswith(prefix)}


def keep_rule(session: Session, zone_id: str, definition: RuleDefinition, prefix: str, place: Place) -> None:
    """
    Make the rule with the definition's `ref`, or bring the one there is in line.

    Args:
        session: A session that writes.

        zone_id: The zone.

        definition: The rule; it has a `ref`.

        prefix: How the `ref` of its kind begins: such rules may stand before it, or after it.

        place: Before all other rules, or after them.
    """
    ruleset = find_entrypoint(session, zone_id) or add_ruleset(session, zone_id)
    rules = rules_of(session, ruleset)
    present = next((rule for rule in rules if rule.ref == definition.ref), None)
    if present is None:
        add_rule(session, ruleset, definition, Position(index=1) if place == "first" else LAST)
        return
    changes = changes_of(definition)
    in_place = _in_place(rules, present, prefix, place)
    if in_place and all(getattr(present, name) == value for name, value in changes.items()):
        return
    # It is moved, not made anew: it keeps its id, and with it what was counted of it.
    position = None if in_place else Position(index=1 if place == "first" else len(rules))
    edit_rule(session, ruleset, present.id, changes, position)


def drop_rule(session: Session, zone_id: str, ref: str) -> None:
    """Delete the rule with this `ref`, if there is one."""
    ruleset = find_entrypoint(session, zone_id)
    if ruleset is None:
        return
    present = next((rule for rule in rules_of(session, ruleset) if rule.ref == ref), None)
    if present is not None:
        delete_rule(session, ruleset, present.id)


def _in_place(rules: Sequence[Rule], rule: Rule, prefix: str, place: Place) -> bool:
    """Tell whether only rules of the same kind stand before it, or after it."""
    at = rules.index(rule)
    return all(other.ref.startswith(prefix) for other in (rules[:at] if place == "first" else rules[at + 1 :]))
