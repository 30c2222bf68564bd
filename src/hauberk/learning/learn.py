"""A profile to a learned operation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hauberk.learned_schema import LearnedOperation, Statement
from hauberk.learning import bodies, parameters
from hauberk.learning.bodies import BodyDraft
from hauberk.learning.choice import Choice, Ledger
from hauberk.learning.draft import Schema
from hauberk.learning.parameters import ParameterDraft
from hauberk.learning.settings import LearnOptions
from hauberk.learning.trust import Trust
from hauberk.learning.values import Study
from hauberk.operation import OperationKey

_DEFAULT = LearnOptions()


def learn(profile: Mapping[str, Any], options: LearnOptions = _DEFAULT, relaxed: Collection[str] = ()) -> LearnedOperation:
    """
    Say what can be said of an operation's requests.

    Args:
        profile: As `hauberk._native.Learner.profile` gives it, parsed.

        options: How sure a statement must be.

        relaxed: Rules (`Statement.rule`) that an owner does not want; such a statement is not made.

    Returns:
        The operation, the same for the same profile.
    """
    drafted = draft(profile, options, relaxed)
    if profile["samples"] < options.min_samples:
        for choice in drafted.ledger.choices:
            choice.options.clear()
    probability = drafted.ledger.settle(options.risk, options.budget)
    return LearnedOperation(
        OperationKey(profile["method"], profile["host"], profile["endpoint"]),
        drafted.operation(),
        tuple(drafted.statements()),
        profile["requests"],
        profile["samples"],
        float(f"{probability:.2g}"),
    )


@dataclass(frozen=True, slots=True)
class OperationDraft:
    """An operation in the making."""

    ledger: Ledger
    parameters: list[ParameterDraft]
    query: Choice
    body: BodyDraft

    def operation(self) -> Schema:
        """Write the operation object."""
        operation: Schema = {}
        if self.parameters:
            operation["parameters"] = [parameter.parameter(_evidence) for parameter in self.parameters]
        request_body = self.body.request_body(_evidence)
        if request_body:
            operation["requestBody"] = request_body
        operation["responses"] = {"2XX": {"description": "Success"}}
        operation["x-hauberk-undeclared-query"] = "reject" if self.query.made else "allow"
        operation["x-hauberk-undeclared-body"] = "reject" if self.body.refuses_others else "allow"
        if self.body.untyped and request_body:
            operation["x-hauberk-untyped-body"] = self.body.untyped
        return operation | _evidence("", self._whole())

    def statements(self) -> Iterator[Statement]:
        """What is said, in the order of the operation object."""
        for parameter in self.parameters:
            for choice in parameter.choices():
                yield from choice.statements()
            yield from parameter.value.statements()
        for choice in self._whole():
            yield from choice.statements()
        for _, content in sorted(self.body.contents.items()):
            yield from content.statements()

    def _whole(self) -> Iterator[Choice]:
        yield self.query
        yield from self.body.choices()


def draft(profile: Mapping[str, Any], options: LearnOptions, relaxed: Collection[str] = ()) -> OperationDraft:
    """Note what could be said of an operation; nothing is settled."""
    ledger = Ledger(relaxed)
    study = Study(ledger, Trust.of(profile, options), options.risk, profile["samples"], len(profile["days"]))
    return OperationDraft(
        ledger, parameters.drafts(study, profile), parameters.undeclared_query(study, profile), bodies.draft(study, profile)
    )


def _evidence(pointer: str, choices: Iterable[Choice]) -> Schema:  # noqa: ARG001 - of interest to other ways of telling
    told = [
        {"keyword": statement.keyword, "value": _plain(statement.value)} | statement.evidence.as_json()
        for choice in choices
        for statement in choice.statements()
    ]
    return {"x-hauberk-evidence": told} if told else {}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
