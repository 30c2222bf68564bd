"""Where `hauberk learn` learns from: captures in files, or a traffic store."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from hauberk.candidate import Candidate
from hauberk.cli.captures import take, watched
from hauberk.cli.failure import Failure
from hauberk.cli.surveyed import MAX_PATHS, Surveyed
from hauberk.discovery.thresholds import Thresholds, candidates, found_operations
from hauberk.errors import HauberkError
from hauberk.store_learning.engine import Engine, LearnerPlan, Operation, discover
from hauberk.store_learning.local import LocalEngine
from hauberk.traffic.files import ReadOptions

FINDING = "1 of 2, finding operations"
LEARNING = "2 of 2, learning"

_URL = re.compile(r"^([a-z][a-z0-9+.]*):/([^/].*)$")


class Learning(Protocol):
    """Traffic that can be read twice."""

    def candidates(self, rules: str, min_requests: int, min_score: float | None) -> list[Candidate]:
        """Find the operations."""

    def learner(self, operations: Sequence[Operation], plan: LearnerPlan) -> Any:
        """Read all of it, and give the learner (`_native.Learner`) that did."""

    def summary(self, operations: int) -> str:
        """Say in a sentence what was read and found."""


class LearningFromFiles:
    """
    Captures in files.

    Args:
        captures: Files that can be read twice.

        options: What they do not say themselves.

        hosts: Only these; none means all.

        plan: Who teaches.

        scored: Whether the classifier decides what is an API call.
    """

    def __init__(
        self, captures: Sequence[Path], options: ReadOptions, hosts: Sequence[str] | None, plan: LearnerPlan, *, scored: bool
    ) -> None:
        self._captures, self._options = captures, options
        self._survey = Surveyed(captures, options, hosts, plan.session_identifiers, scored=scored, doing=FINDING)

    def candidates(self, rules: str, min_requests: int, min_score: float | None) -> list[Candidate]:
        """Find the operations."""
        return self._survey.candidates(rules, min_requests, min_score)

    def learner(self, operations: Sequence[Operation], plan: LearnerPlan) -> Any:
        """Read the captures once more."""
        learner = plan.learner(operations)
        take(learner, self._captures, self._options, doing=LEARNING, again=True)
        return learner

    def summary(self, operations: int) -> str:
        """Say in a sentence what was read and found."""
        return self._survey.summary(operations)


class LearningFromStore:
    """
    A traffic store.

    Args:
        engine: Who reads it.

        scored: Whether the scores of its rows decide what is an API call.
    """

    def __init__(self, engine: Engine, *, scored: bool) -> None:
        from hauberk import _native  # noqa: PLC0415 - the compiled part, which commands that only speak REST do without

        self._engine = engine
        self._threshold = _native.API_THRESHOLD
        self._requests = 0.0
        found: list[Any] = []

        def look() -> None:
            totals = list(engine.path_totals())
            self._requests = sum(total.weight for total in totals)
            found.append(discover(totals, scored=scored, max_paths=MAX_PATHS))

        watched(look, engine.progress, engine.bytes, FINDING)
        self._discovery = found[0]

    def candidates(self, rules: str, min_requests: int, min_score: float | None) -> list[Candidate]:
        """Find the operations."""
        thresholds = Thresholds(min_requests, self._threshold if min_score is None else min_score)
        return candidates(found_operations(self._discovery.operations(rules)), thresholds)

    def learner(self, operations: Sequence[Operation], plan: LearnerPlan) -> Any:
        """Read the store once more."""
        learned: list[Any] = []
        watched(lambda: learned.append(self._engine.learned(operations, plan)), self._engine.progress, self._engine.bytes, LEARNING)
        return learned[0]

    def summary(self, operations: int) -> str:
        """Say in a sentence what was read and found."""
        return f"{operations:,} operations in {round(self._requests):,} successful requests of the store"


def store_in(captures: Sequence[Path]) -> str | None:
    """
    Tell whether a store is meant, and which: a folder, or a URL such as `s3://bucket/folder`.

    Raises:
        Failure: If there is more beside it.
    """
    stores = [text for text in map(_store, captures) if text is not None]
    if stores and len(captures) > 1:
        raise Failure("a traffic store is learned from alone", "name one folder, or files", status=2)
    return stores[0] if stores else None


def local_engine(store: str, hosts: Sequence[str]) -> LocalEngine:
    """
    Open a store.

    Raises:
        Failure: If it cannot be, or has no segments.
    """
    try:
        engine = LocalEngine(store, hosts)
    except HauberkError as error:
        raise Failure(error.message) from None
    except OSError as error:
        raise Failure(f"{store}: cannot be read: {error.strerror or type(error).__name__}") from None
    if not engine.segments:
        raise Failure(f"{store}: is no traffic store: no segments are in it", "name the folder of the setting traffic.store, or files")
    return engine


def as_operation(candidate: Candidate) -> Operation:
    """Name a candidate as learners do."""
    return candidate.method, candidate.host, candidate.endpoint


def profile_of(learner: Any, operation: Operation) -> dict[str, Any]:
    """Read what a learner knows of an operation."""
    return dict(json.loads(learner.profile(*operation)))


def _store(capture: Path) -> str | None:
    # The path of a URL has lost one of its slashes.
    if (url := _URL.match(str(capture))) is not None and not capture.exists():
        return f"{url[1]}://{'/' if url[1] == 'file' else ''}{url[2]}"
    return str(capture) if capture.is_dir() else None
