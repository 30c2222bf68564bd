"""The path template of each request: the official one, else the one that discovery finds in the whole corpus."""

from __future__ import annotations

import json
from collections.abc import Sequence

from benchmarks.learning.corpora import Row, written
from benchmarks.learning.judging import Documents
from hauberk._native import Survey
from hauberk.discovery.openapi import Listed, documents
from hauberk.operation import OperationKey

MAX_PATHS = 4_000_000


class Discovered:
    """The operations that discovery finds in some rows, all taken for API calls."""

    def __init__(self, rows: Sequence[Row]) -> None:
        survey = Survey(session_identifiers=[], hosts=[], scored=False, max_paths=MAX_PATHS)
        survey.read(written(rows), format_name="ndjson")
        found = json.loads(survey.operations('{"pins": [], "splits": []}'))
        listed = [Listed(OperationKey(told["method"], told["host"], told["endpoint"]), {}) for told in found]
        self.documents = [json.dumps(document).encode() for document in documents(listed, title="discovered")]
        self._judge = Documents(self.documents)

    def operations(self, rows: Sequence[Row]) -> list[str | None]:
        """Name the operation of each row, `GET api.example.com/users/{var1}`."""
        return [verdict.operation for verdict in self._judge.judge(rows)]


def templates(corpus: Sequence[Row], rows: Sequence[Row]) -> list[str | None]:
    """
    Give the template of each row.

    Those that no document has come from discovery over the whole corpus, so they do not depend on what was held out.
    """
    endpoints = [None if operation is None else endpoint(operation) for operation in Discovered(corpus).operations(rows)]
    return [
        row["template"] if row.get("template") and not row.get("template_method_mismatch") else found
        for row, found in zip(rows, endpoints, strict=True)
    ]


def endpoint(operation: str) -> str:
    """Give the endpoint of `GET api.example.com/users/{var1}`."""
    return "/" + operation.partition(" ")[2].partition("/")[2]
