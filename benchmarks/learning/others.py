"""
Other programs that make schemas of traffic, as judges.

har-to-openapi and mitm2openapi write OpenAPI, which hauberk's own validation enforces as it does any document. genson and quicktype make a
JSON Schema of samples: they get the bodies, and the queries as objects, of each operation that discovery finds, and the `jsonschema`
package judges. Nothing is changed in what they write, but that answers are left out and a document is told its host.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from benchmarks.learning import har
from benchmarks.learning.corpora import Row
from benchmarks.learning.judging import UNKNOWN, Documents, Judge, Verdict
from benchmarks.learning.places import content_type
from benchmarks.learning.templates import Discovered
from hauberk._native import check_document, document_as_json

RIVALS = Path(__file__).parent / "rivals"
MOST_ENTRIES = 1_500
"""Of a host, for har-to-openapi, whose time grows with the square of them: 1,500 take a minute."""

Schemas = Mapping[str, Mapping[str, Any]]
"""By operation and `body` or `query`: `GET api.example.com/users query`."""


def all_others(training: Sequence[Row]) -> Iterator[tuple[str, Judge]]:
    """Let each program learn from the successful ones of some rows; one that is not installed is left out, and standard error says so."""
    good = [row for row in training if 200 <= row["status"] < 300 and row["label"] == "api" and row["method"] != "OPTIONS"]
    if (RIVALS / "node_modules/har-to-openapi").is_dir():
        yield "har-to-openapi 2.0.0", Documents(_by_host(good, _har_to_openapi))
    else:
        print("left out: har-to-openapi is not installed", file=sys.stderr)
    if program := os.environ.get("MITM2OPENAPI") or shutil.which("mitm2openapi"):
        yield "mitm2openapi 0.8.1", Documents(_by_host(good, lambda host, rows: _mitm2openapi(program, host, rows)))
    else:
        print("left out: mitm2openapi is not installed", file=sys.stderr)
    routes = Discovered(good)
    samples = _samples(routes, good)
    try:
        yield "genson 1.3.0", BySchema(routes, _genson(samples))
    except ImportError:
        print("left out: genson is not installed", file=sys.stderr)
    if (RIVALS / "node_modules/quicktype-core").is_dir():
        yield "quicktype-core 26.0.0", BySchema(routes, _quicktype(samples))
    else:
        print("left out: quicktype-core is not installed", file=sys.stderr)


class BySchema:
    """JSON Schemas for bodies and queries; paths are only routed."""

    def __init__(self, routes: Discovered, schemas: Schemas) -> None:
        from jsonschema import validators  # noqa: PLC0415 - only rivals need it

        self._routes = routes
        self._validators = {name: validators.validator_for(schema)(schema) for name, schema in schemas.items()}

    def judge(self, rows: Sequence[Row]) -> list[Verdict]:
        """Give a verdict for each row; a violation tells its place alone."""
        return [self._verdict(row, operation) for row, operation in zip(rows, self._routes.operations(rows), strict=True)]

    def _verdict(self, row: Row, operation: str | None) -> Verdict:
        if operation is None:
            return UNKNOWN
        violations = []
        for part, sample in (("query", query_object(row)), ("body", body_value(row))):
            validator = self._validators.get(f"{operation} {part}")
            if validator is not None and sample is not None and not validator.is_valid(sample):
                violations.append(
                    {"location": part, "target": "$", "error_class": "constraint_violation", "error_detail": None, "rule": part}
                )
        return Verdict(operation, tuple(violations))


def query_object(row: Row) -> dict[str, Any]:
    """Give a query as an object; text that reads as a number or boolean becomes one, a name that repeats an array."""
    return _object(parse_qsl(urlsplit(row["url"]).query, keep_blank_values=True))


def body_value(row: Row) -> Any:
    """Give a body as a value: JSON as it is, a form as an object; `None` for others."""
    text = row.get("request_body")
    if not text:
        return None
    if content_type(row) == "application/x-www-form-urlencoded":
        return _object(parse_qsl(text, keep_blank_values=True))
    try:
        return json.loads(text)
    except ValueError:
        return None


def _object(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, list[Any]] = defaultdict(list)
    for name, value in pairs:
        found[name].append(json.loads(value) if re.fullmatch(r"true|false|-?(0|[1-9]\d{0,17})(\.\d{1,17})?", value) else value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _samples(routes: Discovered, rows: Sequence[Row]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row, operation in zip(rows, routes.operations(rows), strict=True):
        if operation is not None:
            found[f"{operation} query"].append(query_object(row))
            body = body_value(row)
            if body is not None:
                found[f"{operation} body"].append(body)
    return found


def _genson(samples: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    from genson import SchemaBuilder  # noqa: PLC0415 - it need not be installed

    schemas = {}
    for name, values in samples.items():
        builder = SchemaBuilder()
        for value in values:
            builder.add_object(value)
        schemas[name] = builder.to_schema()
    return schemas


def _quicktype(samples: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    # quicktype makes types of objects; an operation that never had a parameter has nothing to make one of.
    texts = {name: [json.dumps(value) for value in values] for name, values in samples.items() if any(values)}
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "samples.json"), Path(folder, "schemas.json")
        given.write_text(json.dumps(texts))
        subprocess.run(["node", "--max-old-space-size=4000", str(RIVALS / "quicktype.mjs"), str(given), str(made)], check=True)
        found: dict[str, Any] = json.loads(made.read_text())
    return found


def _by_host(rows: Sequence[Row], make: Callable[[str, list[Row]], dict[str, Any] | None]) -> list[bytes]:
    by_host: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_host[row["host"]].append(row)
    documents = []
    for host, of_host in sorted(by_host.items()):
        made = make(host, of_host)
        if made is None:
            continue
        for item in made.get("paths", {}).values():
            for operation in item.values():
                if isinstance(operation, dict) and "responses" in operation:
                    operation["responses"] = {"200": {"description": ""}}
        source = json.dumps(made | {"servers": [{"url": f"https://{host}"}]}).encode()
        report = check_document(source)
        if report["ok"]:
            documents.append(source)
        else:
            print(f"the document for {host} is refused: {report['problems'][0]['message']}", file=sys.stderr)
    return documents


def _har_to_openapi(host: str, rows: list[Row]) -> dict[str, Any] | None:  # noqa: ARG001 - one of two that are called alike
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "capture.har"), Path(folder, "document.json")
        given.write_text(har.written(rows[:MOST_ENTRIES]))
        done = subprocess.run(["node", str(RIVALS / "har_to_openapi.mjs"), str(given), str(made)], check=False, stderr=subprocess.DEVNULL)
        return json.loads(made.read_text()) if done.returncode == 0 else None


def _mitm2openapi(program: str, host: str, rows: list[Row]) -> dict[str, Any] | None:
    scheme = rows[0]["url"].partition(":")[0]
    with tempfile.TemporaryDirectory() as folder:
        given, listed, made = (Path(folder, name) for name in ("capture.har", "templates.yaml", "document.yaml"))
        given.write_text(har.written(rows))
        prefix = ["-p", f"{scheme}://{host}", "--format", "har"]
        subprocess.run(
            [program, "discover", "-i", str(given), "-o", str(listed), *prefix],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # All are proposed as ignored, for a person to choose.
        listed.write_text(listed.read_text().replace("ignore:", ""))
        command = [program, "generate", "-i", str(given), "-t", str(listed), "-o", str(made), *prefix]
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.loads(document_as_json(made.read_bytes())) if done.returncode == 0 else None
