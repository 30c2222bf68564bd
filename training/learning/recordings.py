"""
Successful API calls of the recorded corpora, each with the operation it is of.

Operations are those that discovery finds in a corpus, as they are where schemas are learned: an endpoint that takes two documented ones
for one has
parameters that vary more.
"""

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hauberk import _native


@dataclass(frozen=True)
class Call:
    """A successful request."""

    corpus: str
    recording: str
    """The file it was recorded in: one test or page load. What is held out is held out by recording."""

    operation: tuple[str, str, str]
    """Method, host (or what stands for all hosts of an API), template."""

    row: dict[str, Any]


def data_folder() -> Path:
    """The folder of the shared collection."""
    return Path(os.environ.get("HAUBERK_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def corpora() -> list[str]:
    """The names of the corpora that hold API calls."""
    return [path.name.removesuffix(".ndjson.zst") for path in sorted((data_folder() / "traffic").glob("*.ndjson.zst"))]


@cache
def calls(corpus: str) -> list[Call]:
    """The successful API calls of a corpus, in recorded order."""
    path = data_folder() / "traffic" / f"{corpus}.ndjson.zst"
    text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    rows = [json.loads(line) for line in text.splitlines()]
    rows = [row for row in rows if row.get("label") == "api" and 200 <= (row["status"] or 0) < 300 and row["method"] != "OPTIONS"]
    discovered = _discovered(rows)
    found = []
    for row in rows:
        operation = discovered.get(id(row)) or (row["method"], urlsplit(row["url"]).hostname or row["host"], urlsplit(row["url"]).path)
        found.append(Call(corpus, f"{corpus}/{row['file']}", operation, row))
    return found


def by_operation(found: list[Call]) -> dict[tuple[str, str, str], list[Call]]:
    """Sort calls by operation."""
    sorted_calls: dict[tuple[str, str, str], list[Call]] = defaultdict(list)
    for call in found:
        sorted_calls[call.operation].append(call)
    return dict(sorted_calls)


def _discovered(rows: list[dict[str, Any]]) -> dict[int, tuple[str, str, str]]:
    """Find the operations of rows as `hauberk discover` would."""
    if not rows:
        return {}
    survey = _native.Survey(session_identifiers=[], hosts=[], scored=False, max_paths=100_000)
    survey.read("\n".join(json.dumps(row) for row in rows).encode(), format_name="ndjson")
    endpoints: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
    for operation in json.loads(survey.operations("{}")):
        endpoints[operation["method"], operation["host"]].append(operation["endpoint"].split("/"))
    return {id(row): (row["method"], host, best) for row, host, best in _matches(rows, endpoints)}


def _matches(rows: list[dict[str, Any]], endpoints: dict[tuple[str, str], list[list[str]]]) -> Iterator[tuple[dict[str, Any], str, str]]:
    for row in rows:
        split = urlsplit(row["url"])
        host = split.hostname or row["host"]
        segments = split.path.split("/")
        fitting = [
            known
            for known in endpoints.get((row["method"], host), [])
            if len(known) == len(segments) and all("{" in a or a == b for a, b in zip(known, segments, strict=True))
        ]
        if fitting:
            best = min(fitting, key=lambda known: (sum("{" in segment for segment in known), known))
            yield row, host, "/".join(best)
