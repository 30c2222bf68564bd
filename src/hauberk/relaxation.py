"""
Relaxes rules of learned schemas, at the owner's word: the rule is noted, so that learning leaves it out from now on, and at once a version
without it follows the one at hand. Where that one is in force, the new one takes its place in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from hauberk.errors import InvalidRequest
from hauberk.learned_schema import LearnedOperation
from hauberk.learning.loosening import kin_of, loosened
from hauberk.schema_learning import digest_of
from hauberk.storage.applied_schemas import Actions, apply_version
from hauberk.storage.learned_versions import NewContent, content_of, find_version, learned_operation, store_version
from hauberk.storage.learning_tables import AppliedSchema, OperationLearning
from hauberk.storage.models import Operation, Zone
from hauberk.storage.relaxed_rules import relax, relaxed_rules


def relax_rules(
    session: Session,
    zone: Zone,
    operation: Operation,
    rules: Sequence[str],
    write: Callable[[LearnedOperation], Mapping[str, Any]],
    keep: int,
) -> dict[str, Any]:
    """
    Relax rules of an operation.

    Args:
        session: A session that writes.

        zone: The operation's.

        operation: The operation.

        rules: As `Statement.rule`.

        write: Writes the document of one operation, without evidence.

        keep: How many versions are kept.

    Returns:
        `{"operation_id", "relaxed": rules that were not relaxed before, "version": the new version or the one at hand, "in_force": bool}`.

    Raises:
        NotFound: If nothing was learned of the operation.

        InvalidRequest: If one is no rule of the schema.
    """
    applied = session.get(AppliedSchema, operation.operation_id)
    version = find_version(session, operation.operation_id, applied.version if applied is not None else None)
    known = {statement["rule"] for statement in content_of(version).statements}
    already = {row.rule for row in relaxed_rules(session, operation.operation_id)}
    unknown = [rule for rule in rules if rule not in known | already]
    if unknown:
        raise InvalidRequest(
            f"the learned schema has no rule '{unknown[0][:200]}': a trial and the schema's versions name them", pointer="/rules"
        )
    made = {statement["rule"] for statement in content_of(version).statements if statement["made"]}
    kin = {rule: [one for one in kin_of(rule, sorted(known - made)) if one not in made] for rule in rules}
    new = relax(session, operation.operation_id, rules, kin)
    learned = learned_operation(operation, version)
    looser = replace(
        learned,
        operation=loosened(learned.operation, rules),
        statements=tuple(statement for statement in learned.statements if statement.rule not in rules),
    )
    document = json.dumps(write(looser), separators=(",", ":"), ensure_ascii=False)
    if digest_of(document) != version.digest:
        learning = session.get_one(OperationLearning, operation.operation_id)
        version = store_version(session, learning, NewContent.of(looser, document), digest=digest_of(document), keep=keep)
        if applied is not None:
            apply_version(session, zone, operation, version, Actions(keep=True), rolled_back=applied.rolled_back)
    return {"operation_id": operation.operation_id, "relaxed": new, "version": version.version, "in_force": applied is not None}
