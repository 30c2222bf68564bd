"""A learned schema's nouns: what was learned of one operation, statement by statement, each with the evidence it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hauberk.operation import OperationKey


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a statement rests on, or what is missing for one."""

    samples: int
    """Requests that count: so many of a session and of a client at most, equal ones once."""

    sessions: int
    """Different sessions, or clients where no session is known, or certificates; 0 if nobody could be told apart."""

    days: int
    """Different days on which they came; 0 if the times are not known."""

    statistic: str
    """What was computed, in some words: `largest of 812 values, tail of Pareto type`."""

    probability: float
    """That the next legitimate request breaks the statement, from 0 to 1."""

    needs: int | None = None
    """About how many samples more it takes until the statement is confident; `None` where it is."""

    def as_json(self) -> dict[str, Any]:
        """Give it as it stands in documents and REST answers."""
        told: dict[str, Any] = {
            "samples": self.samples,
            "sessions": self.sessions,
            "days": self.days,
            "statistic": self.statistic,
            "probability": self.probability,
        }
        return told if self.needs is None else told | {"needs": self.needs}


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a schema says, or does not dare to say yet."""

    pointer: str
    """
    Where: the location, then the name or the members below it, as a JSON Pointer (RFC 6901) without its first slash: `path/var1`,
    `query/page`, `header/x-version`, `cookie/theme`, `body/application~1json/user/name`; `*` stands for all items of an array or all
    values of a map.
    """

    keyword: str
    """What: a keyword of JSON Schema (`type`, `maximum`, `enum`, `additionalProperties`, …), `required`, or `closed` (no other names)."""

    value: Any
    """As it stands in the schema; of a statement that is not made, what it would be."""

    evidence: Evidence

    @property
    def is_made(self) -> bool:
        """Whether the schema says it: it is confident, and the owner has not relaxed it."""
        return self.evidence.needs is None

    @property
    def rule(self) -> str:
        """What names the statement for an owner who relaxes it: `query/page maximum`."""
        return f"{self.pointer} {self.keyword}"


@dataclass(frozen=True, slots=True)
class LearnedOperation:
    """What was learned of one operation."""

    key: OperationKey

    operation: Mapping[str, Any]
    """The operation object of OpenAPI, with `x-hauberk-evidence` at each parameter and schema."""

    statements: tuple[Statement, ...]
    """Those made, and those that are not confident yet; in a stable order."""

    requests: int
    """Successful requests that were seen."""

    samples: int
    """Of these, those that count."""

    probability: float
    """That the next legitimate request breaks any statement: at most the budget of an operation."""
