"""`hauberk validate`: what a gateway would say of recorded requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.cli import files
from hauberk.cli.captures import take
from hauberk.cli.failure import Failure
from hauberk.cli.output import Cell, Output, printable
from hauberk.cli.remote import AsJson
from hauberk.cli.traffic import Captures, DefaultHost, FieldNames, FormatName, read_options
from hauberk.cli.written import is_standard, written

# Enough to see what is wrong; all of them are in the JSON.
MAX_SHOWN = 20

SUFFIXES = frozenset({".json", ".yaml", ".yml"})


def validate(
    captures: Captures,
    schemas: Annotated[
        list[Path],
        typer.Option(
            "--schema",
            "-s",
            metavar="FILE|FOLDER",
            help="An OpenAPI 3.0 or 3.1 document, JSON or YAML, or a folder of them; repeat it for more.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write a verdict for each request to this file; '-' is standard output.", show_default=False),
    ] = None,
    fail_on_violation: Annotated[bool, typer.Option("--fail-on-violation", help="Exit with 1 if a request violates its document.")] = False,
    format_name: FormatName = None,
    field_names: FieldNames = None,
    default_host: DefaultHost = None,
    as_json: AsJson = False,
) -> None:
    """
    Judge recorded requests by OpenAPI documents, as strictly as a gateway does by default, and sum up what was found. Needs no server.

    With -o it writes a line of JSON for each request: {"row": 0, "operation": "GET api.example.com/users/{var1}", "verdict": "violates",
    "violations": […]}. A verdict is conforms, violates, or not_evaluated if no document has an operation for the request, or
    only the gateway refuses it (ambiguous_path: encoded slashes). Rows are counted
    from 0 over all files in their order; a row that cannot be read has a number but no line. A verdict never holds a value of the request.

    A document judges the hosts that its servers name, and every host if they name none. A body that the recorder left out is not judged;
    the rest of its request is. Of requests without any headers (access logs) the path and the query alone are judged.

    \b
    Examples:
      hauberk validate --schema openapi.yaml capture.har
      hauberk validate --schema learned/ traffic.ndjson.zst -o verdicts.ndjson
      hauberk validate --schema openapi.json access.log --fail-on-violation
    """
    from hauberk import _native  # noqa: PLC0415 - the compiled part, which commands that only speak REST do without

    to_standard = output is not None and is_standard(output)
    if to_standard and as_json:
        raise Failure("standard output holds the verdicts or the summary, not both", "give a file's name to -o", status=2)
    if files.STANDARD in schemas and files.STANDARD in captures:
        raise Failure("standard input holds a document or a capture, not both", "keep one of them in a file", status=2)
    out = Output(as_json=as_json, aside=to_standard)
    options = read_options(format_name, field_names, default_host)
    documents = {file: files.read_bytes(file) for file in _documents(schemas)}
    if output is not None and not to_standard:
        files.refuse_inputs(output, [*documents, *captures])
    with written(output) if output is not None else nullcontext() as file:
        try:
            validator = _native.Validator(list(documents.values()), output=file)
        except ValueError as error:
            raise _refused(documents) or Failure(str(error)) from None
        take(validator, captures, options)
        counts: dict[str, Any] = json.loads(validator.finish())
    _summarise(out, counts)
    if output is not None and not to_standard:
        out.say(f"verdicts are in {output}")
    if fail_on_violation and counts["violates"]:
        raise Failure(f"{counts['violates']:,} requests violate their document")


def _documents(schemas: Sequence[Path]) -> list[Path]:
    """
    List the files that are meant.

    Raises:
        Failure: If a folder holds none.
    """
    found: list[Path] = []
    for schema in schemas:
        if not schema.is_dir():
            found.append(schema)
            continue
        inside = sorted(file for file in schema.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
        if not inside:
            raise Failure(f"{schema}: the folder has no document", f"files that end in {', '.join(sorted(SUFFIXES))} are looked for")
        found.extend(inside)
    return list(dict.fromkeys(found))


def _refused(documents: dict[Path, bytes]) -> Failure | None:
    """Say which document is refused, and why."""
    from hauberk import _native  # noqa: PLC0415 - as above

    for file, source in documents.items():
        report = _native.check_document(source)
        if not report["ok"]:
            first = next(iter(report["problems"]), {"message": "it cannot be read"})
            return Failure(f"{file}: {printable(first['message'])}", f"'hauberk schema check {file}' lists all problems of the document")
    return None


def _summarise(out: Output, counts: dict[str, Any]) -> None:
    if out.as_json:
        out.json(counts)
    else:
        broken = [rule | {"operation": row["operation"]} for row in counts["operations"] for rule in row["broken"]]
        broken.sort(key=lambda rule: -int(rule["rows"]))
        if counts["operations"]:
            out.table(
                counts["operations"],
                {"OPERATION": lambda row: row["operation"] or "none", "CONFORMS": "conforms", "VIOLATES": "violates"},
                empty="",
            )
        if broken:
            (out.say if out.aside else out.line)("")
            columns: dict[str, Cell] = {
                "REQUESTS": "rows",
                "OPERATION": lambda row: row["operation"] or "none",
                "IN": "location",
                "WHAT": lambda row: row["error_detail"] or row["error_class"],
                "RULE": lambda row: row["rule"] or "of the gateway",
            }
            out.table(broken[:MAX_SHOWN], columns, empty="")
        if len(broken) > MAX_SHOWN:
            out.say(f"the {MAX_SHOWN} rules that were broken most often, of {len(broken)}; --json tells all")
    judged = counts["conforms"] + counts["violates"]
    share = f" ({counts['violates'] / judged:.2%} of those judged)" if counts["violates"] else ""
    out.say(
        f"{judged + counts['not_evaluated']:,} requests: {counts['conforms']:,} conform, {counts['violates']:,} violate{share}, "
        f"{counts['not_evaluated']:,} are for no operation of the documents"
    )
