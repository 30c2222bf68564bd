"""`hauberk schema diff`: what two OpenAPI documents say differently of requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.cli import files
from hauberk.cli.failure import Failure
from hauberk.cli.output import Output, printable
from hauberk.cli.remote import AsJson
from hauberk.learning.difference import Change, difference

DocumentFile = Annotated[
    Path, typer.Argument(help="An OpenAPI 3.0 or 3.1 document, JSON or YAML; '-' is standard input.", show_default=False)
]


def diff(before: DocumentFile, after: DocumentFile, as_json: AsJson = False) -> None:
    """
    Compare two OpenAPI documents, as far as requests are judged by them, and tell what each change means: 'breaking' if a request that
    conformed may now be refused, 'looser' if all of them still conform. Needs no server.

    As with diff(1), the exit status is 0 if there is no difference, 1 if there is one, and 2 if something is wrong. What is not certain to
    be looser is called breaking.

    \b
    Examples:
      hauberk schema diff learned-monday.json learned-friday.json
      hauberk schema diff openapi.yaml learned.json --json
    """
    if before == after == files.STANDARD:
        raise Failure("standard input holds one document, not both", "keep one of them in a file", status=2)
    out = Output(as_json=as_json)
    one, other = _document(before), _document(after)
    try:
        changes = difference(one, other)
    except ValueError:
        raise _refused({before: one, after: other}) from None
    if as_json:
        out.json([change.as_json() for change in changes])
    else:
        for change in changes:
            out.line(_line(change))
    breaking = sum(change.breaking for change in changes)
    if not changes:
        out.say("no difference: requests are judged alike")
        return
    out.say(f"{len(changes):,} change{'s' * (len(changes) != 1)}: {breaking:,} breaking, {len(changes) - breaking:,} looser")
    raise typer.Exit(1)


def _line(change: Change) -> str:
    return printable(f"{'breaking' if change.breaking else 'looser  '}  {change.where}: {change.what}")


def _document(file: Path) -> dict[str, Any]:
    """Read a document."""
    from hauberk import _native  # noqa: PLC0415 - the compiled part, which commands that only speak REST do without

    try:
        found = json.loads(_native.document_as_json(files.read_bytes(file)))
    except ValueError as error:
        raise Failure(f"{file}: {error}", f"'hauberk schema check {file}' tells more", status=2) from None
    except Failure as failure:
        raise Failure(failure.message, failure.hint, status=2) from None
    if not isinstance(found, dict):
        raise Failure(f"{file}: is no OpenAPI document", status=2)
    return found


def _refused(documents: dict[Path, dict[str, Any]]) -> Failure:
    """Say which of the documents would be refused, and why."""
    from hauberk import _native  # noqa: PLC0415 - as above

    for file, document in documents.items():
        report = _native.check_document(json.dumps(document).encode())
        if not report["ok"]:
            first = next(iter(report["problems"]), {"message": "it cannot be read"})
            return Failure(f"{file}: {printable(first['message'])}", f"'hauberk schema check {file}' lists all problems", status=2)
    return Failure("the documents cannot be compared", status=2)
