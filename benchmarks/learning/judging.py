"""Judges of requests: documents in hauberk's own validation, with the gateway's default policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.learning.corpora import Row, written
from benchmarks.learning.documents import official
from hauberk._native import Validator

BATCH = 2_000
"""Rows judged in one call; mutants of deep bodies are large."""


@dataclass(frozen=True)
class Verdict:
    """What a judge says of a request."""

    operation: str | None
    """`None`: it knows none for the request."""

    violations: tuple[Mapping[str, Any], ...]

    @property
    def outcome(self) -> str:
        """`refused`, `passed` or `unknown`."""
        if self.violations:
            return "refused"
        return "passed" if self.operation is not None else "unknown"


UNKNOWN = Verdict(None, ())


class Judge(Protocol):
    """Whoever tells good requests from bad ones."""

    def judge(self, rows: Sequence[Row]) -> list[Verdict]:
        """Give a verdict for each row, in order."""


class Documents:
    """OpenAPI documents as a gateway would enforce them."""

    def __init__(self, sources: Iterable[bytes]) -> None:
        self._validator = Validator(list(sources), output=None)

    def judge(self, rows: Sequence[Row]) -> list[Verdict]:
        """Give a verdict for each row; one that cannot be read as a transaction is for no operation."""
        verdicts: list[Verdict] = []
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            found = [UNKNOWN] * len(batch)
            for told in json.loads(self._validator.judge(written(map(_judged_part, batch)))):
                found[told["row"]] = Verdict(told["operation"], tuple(told["violations"]))
            verdicts += found
        return verdicts


class Official:
    """The official documents of a corpus: each row is judged by the one whose template it has."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self._judges = {api: Documents([json.dumps(official(name).content).encode()]) for api, name in documents.items()}

    def judge(self, rows: Sequence[Row]) -> list[Verdict]:
        """Give a verdict for each row; those without a template of a document at hand are not known."""
        verdicts = [UNKNOWN] * len(rows)
        for api, judge in self._judges.items():
            numbers = [number for number, row in enumerate(rows) if row.get("template_api") == api]
            for number, verdict in zip(numbers, judge.judge([rows[number] for number in numbers]), strict=True):
                verdicts[number] = verdict
        return verdicts


def _judged_part(row: Row) -> Row:
    """Leave out the answer, which no judge looks at."""
    return {name: value for name, value in row.items() if not name.startswith("response_")} | {"response_headers": []}
