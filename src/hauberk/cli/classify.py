"""`hauberk classify`: how likely each transaction of a capture is an API call."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hauberk.cli import files
from hauberk.cli.captures import take
from hauberk.cli.output import Output
from hauberk.cli.traffic import Captures, DefaultHost, FieldNames, FormatName, read_options
from hauberk.cli.written import is_standard, written


def classify(
    captures: Captures,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write the scores to this file; '-' is standard output.", show_default=True)
    ] = files.STANDARD,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="From which score on it is an API call. Default: the classifier's own.", show_default=False),
    ] = None,
    format_name: FormatName = None,
    field_names: FieldNames = None,
    default_host: DefaultHost = None,
) -> None:
    """
    Score transactions: how likely each is an API call, from 0 to 1. Needs no server.

    Writes a line of JSON for each: {"row": 0, "score": 0.987654, "api": true}. Rows are counted from 0 over all files in their order; a row
    that cannot be read has a number but no line.

    \b
    Examples:
      hauberk classify capture.har -o scores.ndjson
      hauberk classify access.log.gz | head
    """
    from hauberk import _native  # noqa: PLC0415 - the compiled part, which commands that only speak REST do without

    out = Output()
    with written(output) as file:
        scorer = _native.Scorer(file, _native.API_THRESHOLD if threshold is None else threshold)
        reports = take(scorer, captures, read_options(format_name, field_names, default_host))
        api = scorer.finish()
    transactions = sum(report.transactions for report in reports)
    out.say(
        f"{transactions:,} transactions, {api:,} of them look like API calls"
        + (f"; written to {output}" if not is_standard(output) else "")
    )
