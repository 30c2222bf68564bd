"""A profile to a learned operation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
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
    ledger = Ledger(relaxed)
    study = Study(ledger, Trust.of(profile, options), options.risk, profile["samples"], len(profile["days"]))
    found = parameters.drafts(study, profile)
    query = parameters.undeclared_query(study, profile)
    body = bodies.draft(study, profile)
    if profile["samples"] < options.min_samples:
        for choice in ledger.choices:
            choice.options.clear()
    probability = ledger.settle(options.risk, options.budget)
    return LearnedOperation(
        OperationKey(profile["method"], profile["host"], profile["endpoint"]),
        _operation(found, query, body),
        tuple(_statements(found, query, body)),
        profile["requests"],
        profile["samples"],
        float(f"{probability:.2g}"),
    )


def _operation(found: list[ParameterDraft], query: Choice, body: BodyDraft) -> Schema:
    operation: Schema = {}
    if found:
        operation["parameters"] = [parameter.parameter(_evidence) for parameter in found]
    request_body = body.request_body(_evidence)
    if request_body:
        operation["requestBody"] = request_body
    operation["responses"] = {"2XX": {"description": "Success"}}
    operation["x-hauberk-undeclared-query"] = "reject" if query.made else "allow"
    operation["x-hauberk-undeclared-body"] = "reject" if body.only and body.only.made else "allow"
    whole = [query, *(choice for choice in (body.only, body.required) if choice)]
    return operation | _evidence("", whole)


def _statements(found: list[ParameterDraft], query: Choice, body: BodyDraft) -> Iterator[Statement]:
    for parameter in found:
        for choice in parameter.choices():
            yield from choice.statements()
        yield from parameter.value.statements()
    for whole in (query, body.only, body.required):
        if whole:
            yield from whole.statements()
    for _, content in sorted(body.contents.items()):
        yield from content.statements()


def _evidence(pointer: str, choices: Iterable[Choice]) -> Schema:  # noqa: ARG001 - of interest to other ways of telling
    told = [
        {"keyword": statement.keyword, "value": _plain(statement.value)} | statement.evidence.as_json()
        for choice in choices
        for statement in choice.statements()
    ]
    return {"x-hauberk-evidence": told} if told else {}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
