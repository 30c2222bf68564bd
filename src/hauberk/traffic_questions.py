"""What is asked of recorded traffic about single operations: why they are grouped and score as they do, what a rule would change."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from hauberk.candidate import without_port
from hauberk.discovery.contributions import Reasons, Record, reasons
from hauberk.discovery.series import path_pattern
from hauberk.discovery.thresholds import FoundOperation, found_operations, origins, shortfalls
from hauberk.errors import NotFound
from hauberk.inventory import Inventory
from hauberk.operation import OperationKey
from hauberk.storage.discovery_tables import DiscoveredOperation
from hauberk.storage.models import Operation
from hauberk.storage.operations import operations_of
from hauberk.storage.template_rules import template_rules
from hauberk.template_rule import TemplateRule, owner_rules

# So many recorded requests are scored, once for each part of what the classifier looks at.
SCORED = 60
MAX_TOLD = 100

# What is no part of a transaction as captures have it.
_ADDED = frozenset({"path", "score", "weight", "session", "certificate", "operation_id", "request_id", "action", "duration_us", "client"})


class TrafficQuestions:
    """
    Questions to the traffic of a zone.

    Args:
        inventory: Reads the traffic and groups its paths.

        score: Scores transactions as a gateway does.
    """

    def __init__(self, inventory: Inventory, score: Callable[[Sequence[Record]], list[float]]) -> None:
        self.inventory = inventory
        self.score = score

    def explain(self, zone_id: str, host: str, method: str, path: str) -> dict[str, Any]:
        """
        Tell why a path or endpoint is grouped as it is, and what it lacks to be a candidate.

        Raises:
            Conflict: If there is no traffic to look at.
            NotFound: If nothing like it was seen.
        """
        with self.inventory.database.read() as session:
            rules = owner_rules(template_rules(session, zone_id))
        discovery = self.inventory.observed(zone_id, host)
        text = discovery.explain(host, method, path, rules)
        if text is None:
            days = self.inventory.settings.window_days
            last = f"{days} days" if days > 1 else "day"
            raise NotFound(f"no successful request was seen that is {method} {host} and like this path, in the last {last}")
        explanation: dict[str, Any] = json.loads(text)
        for segment in explanation["segments"]:
            segment["examples"] = self._masked_words(segment["examples"])
        wanted = (method, explanation["host"], explanation["endpoint"])
        thresholds = self.inventory.thresholds
        for found in found_operations(discovery.operations(rules)):
            if _key(found) == wanted:
                told = self._told(found) | {"with_session": found.with_session, "lacks": shortfalls(found, thresholds)}
                return {"explanation": explanation, "operation": told}
        return {"explanation": explanation, "operation": None}

    def reasons(self, row: DiscoveredOperation) -> Reasons:
        """
        Tell what a candidate owes its score to.

        Raises:
            Conflict: If there is no traffic to look at.
        """
        traffic = self.inventory.traffic(row.zone_id)
        named = [host for host in traffic.hosts if without_port(host).lower().removesuffix(".") == row.host]
        window = traffic.window
        found = traffic.source.of_template(named, row.method, path_pattern(row.endpoint), window.since, window.until, SCORED)
        return reasons([_record(transaction) for transaction in found], self.score, self.inventory.thresholds.min_score)

    def preview(self, zone_id: str, rule: TemplateRule, instead_of: Sequence[TemplateRule] = ()) -> dict[str, Any]:
        """
        Tell what the next look would find differently if a rule were added.

        Args:
            zone_id: Whose rule it is.

            rule: The rule.

            instead_of: Rules that would be deleted with it.

        Raises:
            Conflict: If there is no traffic to look at.
        """
        with self.inventory.database.read() as session:
            before = template_rules(session, zone_id)
        after = [*(known for known in before if known not in instead_of), rule]
        discovery = self.inventory.observed(zone_id, rule.host)
        was, is_now = (
            [found for found in found_operations(discovery.operations(owner_rules(rules))) if found.host == rule.host]
            for rules in (before, after)
        )
        told: dict[str, Any] = {}
        for name, these, others in (("gone", was, is_now), ("new", is_now, was)):
            keys = {_key(operation): operation for operation in others}
            changed = [operation for operation in these if _key(operation) not in keys]
            changed.sort(key=lambda one: (-one.requests, one.endpoint, one.method))
            told[name] = {"count": len(changed), "operations": [self._told(operation) for operation in changed[:MAX_TOLD]]}
        with self.inventory.database.read() as session:
            saved = _saved(session, zone_id, rule, [(one["method"], one["host"], one["endpoint"]) for one in told["gone"]["operations"]])
        return {"rule": asdict(rule), **told, "saved": saved}

    def _masked_words(self, words: Sequence[str]) -> list[str]:
        mask = self.inventory.mask_path
        return list(dict.fromkeys(mask(f"/{word}").removeprefix("/") for word in words)) if mask is not None else []

    def _told(self, operation: FoundOperation) -> dict[str, Any]:
        names = ("method", "host", "endpoint", "requests", "score", "distinct_paths")
        return {name: getattr(operation, name) for name in names} | {"origin": list(origins(operation, self.inventory.thresholds))}


def _record(transaction: dict[str, Any]) -> Record:
    record = {name: value for name, value in transaction.items() if value is not None and name not in _ADDED}
    if "time" in record:
        record["time"] = record["time"].isoformat()
    return record


def _key(operation: FoundOperation) -> tuple[str, str, str]:
    return operation.method, operation.host, operation.endpoint


def _saved(session: Session, zone_id: str, rule: TemplateRule, gone: list[tuple[str, str, str]]) -> list[dict[str, str]]:
    """List the saved operations that the traffic would no longer show: they stay, and their owner should know."""
    of_host = session.scalars(operations_of(zone_id).where(Operation.host == rule.host).order_by(Operation.endpoint, Operation.method))
    found = (
        row
        for row in of_host
        if (row.method, row.host, row.endpoint) in gone or rule.replaces(OperationKey(row.method, row.host, row.endpoint))
    )
    return [{"method": row.method, "host": row.host, "endpoint": row.endpoint} for row in islice(found, MAX_TOLD)]
