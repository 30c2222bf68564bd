"""`hauberk discover`: the operations in captured traffic, found without a server."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hauberk.candidate import Candidate, without_port
from hauberk.cli import files
from hauberk.cli.comparing import print_comparison
from hauberk.cli.explaining import print_explanation
from hauberk.cli.output import Cell, Output
from hauberk.cli.remote import AsJson
from hauberk.cli.session_identifiers import print_proposal
from hauberk.cli.surveyed import MIN_REQUESTS, AllTraffic, Hosts, MinRequests, MinScore, Pins, SessionIdentifiers, Surveyed, pinned
from hauberk.cli.traffic import AUTHORIZATION, Captures, DefaultHost, FieldNames, FormatName, read_options, summarise
from hauberk.discovery.comparison import compare as compare_ways
from hauberk.discovery.pictures import comparison_svg
from hauberk.discovery.proposal import propose as propose_identifiers
from hauberk.template_rule import owner_rules
from hauberk.traffic.files import FileReport, read


class _FilesUnlessNamed(TyperGroup):
    """Lets `hauberk discover FILE…` go without the name of its command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name in where none is given."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["files", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(
    cls=_FilesUnlessNamed,
    no_args_is_help=True,
    help="""
    Find the operations in captured traffic: HAR files, access logs, JSON lines. Needs no server.

    'hauberk discover FILE…' is short for 'hauberk discover files FILE…', whose options 'hauberk discover files --help' shows.

    \b
    Examples:
      hauberk discover capture.har                        what the classifier finds
      hauberk discover propose capture.har                who calls: which session identifiers there are
      hauberk discover capture.har -s cookie:sid          what either of the two ways finds
      hauberk discover compare capture.har -s cookie:sid  the two ways side by side
    """,
)


@app.command("files")
def in_files(
    captures: Captures,
    host: Hosts = None,
    session_identifier: SessionIdentifiers = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write the operations to this file, as a JSON array; '-' is standard output.", show_default=False
        ),
    ] = None,
    min_requests: MinRequests = MIN_REQUESTS,
    min_score: MinScore = None,
    all_traffic: AllTraffic = False,
    pin: Pins = None,
    explain: Annotated[
        str | None,
        typer.Option(metavar="'METHOD HOST/PATH'", help="Tell why this path has the template it has, instead.", show_default=False),
    ] = None,
    format_name: FormatName = None,
    field_names: FieldNames = None,
    default_host: DefaultHost = None,
    as_json: AsJson = False,
) -> None:
    """
    Find the operations in captures: method, host, and path with its variables. The word 'files' may be left out.

    They are found by their looks (ML), by a session identifier on their requests, or both. Only requests that were answered with 2xx count.
    'hauberk discover propose FILE…' tells which session identifiers there are, 'hauberk discover compare FILE…' sets both side by side.

    \b
    Examples:
      hauberk discover capture.har
      hauberk discover access.log traffic.ndjson.zst -o operations.json
      hauberk discover capture.har --host api.example.com --session-identifier cookie:sid
      hauberk discover capture.har --explain 'GET api.example.com/users/42'
    """
    out = Output(as_json=as_json or output == files.STANDARD)
    survey = Surveyed(captures, read_options(format_name, field_names, default_host), host, session_identifier, scored=not all_traffic)
    rules = owner_rules([pinned(text) for text in pin or []])
    if explain is not None:
        print_explanation(out, survey.explained(explain, rules), pinned="--pin says so")
        return
    rows = [_row(candidate) for candidate in survey.candidates(rules, min_requests, min_score)]
    if output is not None and output != files.STANDARD:
        files.write(output, json.dumps(rows, indent=1, ensure_ascii=False) + "\n", force=True)
    out.table(rows, _COLUMNS, empty="no operation was found")
    out.say(survey.summary(len(rows)) + (f"; written to {output}" if output is not None and output != files.STANDARD else ""))


@app.command("compare")
def compare(
    captures: Captures,
    host: Hosts = None,
    session_identifier: SessionIdentifiers = None,
    min_requests: MinRequests = MIN_REQUESTS,
    min_score: MinScore = None,
    svg: Annotated[Path | None, typer.Option(help="Write the histograms as a picture to this file.", show_default=False)] = None,
    format_name: FormatName = None,
    field_names: FieldNames = None,
    default_host: DefaultHost = None,
    as_json: AsJson = False,
) -> None:
    """
    Compare the two ways: what the classifier finds beside what requests with a session identifier show.

    'hauberk discovery compare' does the same with the traffic of a running gateway.

    \b
    Example:
      hauberk discover compare capture.har --session-identifier cookie:sid --svg comparison.svg
    """
    out = Output(as_json=as_json)
    identifiers = session_identifier or [AUTHORIZATION]
    survey = Surveyed(captures, read_options(format_name, field_names, default_host), host, identifiers, scored=True)
    comparison = compare_ways(survey.candidates(owner_rules([]), min_requests, min_score))
    if svg is not None:
        files.write(svg, comparison_svg(comparison), force=True)
        out.say(f"Wrote {svg}")
    print_comparison(out, comparison)


@app.command("propose")
def propose(
    captures: Captures,
    host: Hosts = None,
    format_name: FormatName = None,
    field_names: FieldNames = None,
    default_host: DefaultHost = None,
    as_json: AsJson = False,
) -> None:
    """
    Look at what the requests of captures carry, and propose a session identifier: how many carry it, how many values it has, and why it is
    good or not.

    \b
    Example:
      hauberk discover propose capture.har --host app.example.com
    """
    out = Output(as_json=as_json)
    hosts = {name.lower() for name in host or []}
    reports: list[FileReport] = []
    with closing(read(captures, read_options(format_name, field_names, default_host), reports)) as batches:
        rows = (json.loads(line) for batch in batches for _, line in batch)
        found = propose_identifiers(row for row in rows if not hosts or {row["host"], without_port(row["host"])} & hosts)
    summarise(out, reports)
    print_proposal(out, found.as_json())


def _row(candidate: Candidate) -> dict[str, Any]:
    return {
        "method": candidate.method,
        "host": candidate.host,
        "endpoint": candidate.endpoint,
        "origin": list(candidate.origins),
        "state": "review",
        "requests": candidate.requests,
        "score": None if candidate.score is None else round(candidate.score, 4),
        "distinct_paths": candidate.distinct_paths,
    }


_COLUMNS: dict[str, Cell] = {
    "METHOD": "method",
    "HOST": "host",
    "ENDPOINT": "endpoint",
    "REQUESTS": "requests",
    "PATHS": "distinct_paths",
    "SCORE": lambda row: "-" if row["score"] is None else f"{row['score']:.2f}",
    "FOUND BY": lambda row: ", ".join(row["origin"]),
}
