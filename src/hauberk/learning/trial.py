"""
A trial: what a schema would have refused of requests that were recorded, rule by rule.

Only requests that the origin answered with 2xx are false positives. Others are told apart from them: a schema that refuses what the origin
refuses as well is right.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hauberk.learning.blame import Blame, blame, narrowed, nearest
from hauberk.learning.place import at_steps, steps_of
from hauberk.learning.wording import demanded

# So many callers of a rule are told apart; beyond it their number is a lower bound.
MAX_SESSIONS = 10_000
MAX_NAMES = 5
# Alternatives can hold alternatives; deeper ones are told as a whole.
DEPTH = 4

Blamed = tuple[Blame, Mapping[str, Any], Mapping[str, Any]]
"""What is broken, by which violation, of which document."""

Counts = Callable[[str, Mapping[str, Any], bytes, bool], bool]
"""Tells whether a request is to be counted: given its operation, the record, its line, and whether it was answered with 2xx."""


class Judge(Protocol):
    """Judges records by documents, as `hauberk._native.Validator`."""

    def judge(self, lines: bytes) -> str:
        """Judge records, a line of JSON each, and give their verdicts as a JSON array."""


@dataclass
class BrokenRule:
    """A rule that requests would have been refused for."""

    operation: str
    """`GET api.example.com/users/{var1}`."""

    rule: str
    """As `Statement.rule`."""

    can_be_relaxed: bool
    """Whether it is a statement of the schema, and not how any request is read."""

    explanation: str
    """What they had, without a value of theirs: `a value above 100`."""

    requests: int = 0
    first_seen: str | None = None
    last_seen: str | None = None
    names: dict[str, None] = field(default_factory=dict)
    """Some of the names that are not declared, where that is the rule."""

    _callers: set[str] = field(default_factory=set)

    @property
    def sessions(self) -> int:
        """Different sessions, else clients, that broke it."""
        return len(self._callers)

    def count(self, row: Mapping[str, Any], targets: Iterable[str] = ()) -> None:
        """Count a request, and what it named that is not declared."""
        self.requests += 1
        for target in targets:
            if len(self.names) < MAX_NAMES:
                self.names[target] = None
        caller = row.get("session") or row.get("certificate") or row.get("client")
        if caller is not None and len(self._callers) < MAX_SESSIONS:
            self._callers.add(str(caller))
        time = row.get("time")
        if time is not None:
            self.first_seen = min(self.first_seen or time, time)
            self.last_seen = max(self.last_seen or time, time)

    def as_json(self) -> dict[str, Any]:
        """Render it."""
        return {
            "operation": self.operation,
            "rule": self.rule,
            "can_be_relaxed": self.can_be_relaxed,
            "explanation": self.explanation,
            "requests": self.requests,
            "sessions": self.sessions,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "names": list(self.names),
        }


@dataclass
class Outcome:
    """What became of some requests."""

    requests: int = 0
    """Those judged."""

    refused: int = 0
    """Of these, those that break a rule."""

    rules: dict[tuple[str, str], BrokenRule] = field(default_factory=dict)

    _requests_of: Counter[str] = field(default_factory=Counter)
    _refused_of: Counter[str] = field(default_factory=Counter)

    def count(self, operation: str, *, refused: bool) -> None:
        """Count a request of an operation."""
        self.requests += 1
        self.refused += refused
        self._requests_of[operation] += 1
        self._refused_of[operation] += refused

    def counted(self, operation: str) -> dict[str, int]:
        """Tell how many requests of an operation were judged, and how many of them refused."""
        return {"requests": self._requests_of[operation], "refused": self._refused_of[operation]}

    def as_json(self) -> dict[str, Any]:
        """Render it, the rule that was broken most often first."""
        rules = sorted(self.rules.values(), key=lambda rule: (-rule.requests, rule.operation, rule.rule))
        return {"requests": self.requests, "refused": self.refused, "rules": [rule.as_json() for rule in rules]}


class Trial:
    """
    A trial of some documents.

    Args:
        documents: What each operation is judged by, by its name, `GET api.example.com/users/{var1}`; the same one can be there for several.

        judge: Makes what judges by documents.
    """

    def __init__(self, documents: Mapping[str, Mapping[str, Any]], judge: Callable[[list[bytes]], Judge]) -> None:
        self.successful = Outcome()
        """Requests that were answered with 2xx; those refused are false positives."""
        self.others = Outcome()
        """All other requests."""
        self._documents = documents
        self._make_judge = judge
        self._judge = judge([_encoded(document) for document in {id(one): one for one in documents.values()}.values()])
        self._narrowed: dict[tuple[str, str], list[tuple[Judge, Mapping[str, Any]]]] = {}

    @property
    def requests(self) -> int:
        """Requests that were judged."""
        return self.successful.requests + self.others.requests

    def replay(self, lines: Sequence[bytes], counts: Counts = lambda *_: True) -> None:
        """
        Judge records; requests for no operation of the documents are left out.

        Args:
            lines: A line of JSON each.

            counts: Tells of a request whether it is to be counted.
        """
        verdicts = _verdicts(self._judge, lines)
        for line, verdict in zip(lines, verdicts, strict=True):
            operation = verdict["operation"]
            if verdict["verdict"] == "not_evaluated" or operation not in self._documents:
                continue
            row = json.loads(line)
            succeeded = _succeeded(row)
            if not counts(operation, row, line, succeeded):
                continue
            outcome = self.successful if succeeded else self.others
            refused = verdict["verdict"] == "violates"
            outcome.count(operation, refused=refused)
            if not refused:
                continue
            document = self._documents[operation]
            blamed = [each for one in verdict["violations"] for each in self._blamed(line, operation, document, one, DEPTH)]
            for rule, targets in _by_rule(outcome, operation, blamed):
                rule.count(row, targets)

    def as_json(self) -> dict[str, Any]:
        """Render what came of it."""
        return {"successful": self.successful.as_json(), "others": self.others.as_json()}

    def _blamed(self, line: bytes, operation: str, document: Mapping[str, Any], violation: Mapping[str, Any], depth: int) -> list[Blamed]:
        """Give what a violation says is broken; of alternatives, what the nearest one demands."""
        found = blame(violation, document)
        best = self._nearest(line, operation, document, found.place) if found.is_open and depth else None
        if best is None:
            return [(found, violation, document)]
        inner, violations = best
        return [each for one in violations for each in self._blamed(line, operation, inner, one, depth - 1)]

    def _nearest(
        self, line: bytes, operation: str, document: Mapping[str, Any], place: str
    ) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | None:
        key = (f"{operation} {id(document)}", place)
        if key not in self._narrowed:
            alone = _alone(document, place)
            self._narrowed[key] = [(self._make_judge([_encoded(one)]), one) for one in narrowed(alone, place)]
        alternatives = self._narrowed[key]
        best = nearest([_verdicts(judge, [line])[0]["violations"] for judge, _ in alternatives], place)
        return None if best is None else (alternatives[best[0]][1], best[1])


def _by_rule(outcome: Outcome, operation: str, blamed: Iterable[Blamed]) -> Iterator[tuple[BrokenRule, list[str]]]:
    """Give each rule that one request breaks once, with what it named where names are the matter."""
    rules: dict[str, tuple[BrokenRule, list[str]]] = {}
    for found, violation, document in blamed:
        key = (operation, found.rule)
        if key not in outcome.rules:
            explanation = demanded(found.keyword, _value(document, found), str(violation["location"]))
            outcome.rules[key] = BrokenRule(operation, found.rule, found.stated, explanation)
        rules.setdefault(found.rule, (outcome.rules[key], []))
        if found.keyword in {"closed", "additionalProperties"}:
            rules[found.rule][1].append(str(violation["target"]))
    yield from rules.values()


def _succeeded(row: Mapping[str, Any]) -> bool:
    status = row.get("status")
    return isinstance(status, int) and 200 <= status < 300


def _verdicts(judge: Judge, lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Give a verdict for each line; of one that cannot be read, that it was not judged."""
    told = {verdict["row"]: verdict for verdict in json.loads(judge.judge(b"\n".join(lines)))}
    unread: dict[str, Any] = {"operation": None, "verdict": "not_evaluated", "violations": []}
    return [told.get(row, unread) for row in range(len(lines))]


def _value(document: Mapping[str, Any], found: Blame) -> Any:
    """Give what the document says at the place; of a type told at its parameter, its schema."""
    try:
        value = at_steps(document, steps_of(found.place))
    except ValueError:
        return None
    return value.get("schema", value) if found.keyword == "type" and isinstance(value, Mapping) else value


def _alone(document: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Give the document with the one operation of a place, so that it compiles in no time."""
    path, method = steps_of(place)[1:3]
    return {**document, "paths": {path: {name: of for name, of in document["paths"][path].items() if name in {method, "parameters"}}}}


def _encoded(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
