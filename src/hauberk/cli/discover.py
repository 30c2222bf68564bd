"""`hauberk discover`: the operations in captured traffic, found without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hauberk.candidate import Candidate
from hauberk.cli import captures, files
from hauberk.cli.failure import Failure
from hauberk.cli.output import Output
from hauberk.cli.remote import AsJson
from hauberk.discovery import comparison
from hauberk.discovery.thresholds import Thresholds, candidates, found_operations
from hauberk.operation import METHODS
from hauberk.template_rule import owner_rules

# Offline there is no window to wait for: what is in the file is what there is.
MIN_REQUESTS = 1

# As the control plane does: below this share of successful requests `Authorization` is not how callers are told apart.
AUTOMATIC_IDENTIFIER = "header:authorization"
AUTOMATIC_SHARE = 0.01


class _FilesUnlessNamed(TyperGroup):
    """Lets `hauberk discover FILE…` go without the name of its command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name in where none is given."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["files", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_FilesUnlessNamed,
    no_args_is_help=True,
    help="Find the operations in captured traffic; needs no server. 'hauberk discover FILE…' is short for 'hauberk discover files FILE…'.",
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help=captures.FILES_HELP, show_default=False)]
Format = Annotated[str | None, typer.Option("--format", help=captures.FORMAT_HELP, show_default=False)]
Host = Annotated[list[str] | None, typer.Option("--host", help="Only this host; repeat it for more.", show_default=False)]
SessionIdentifierOption = Annotated[
    list[str] | None,
    typer.Option(
        "--session-identifier",
        "-s",
        metavar="TYPE:NAME",
        help="Where requests carry who is calling: header:NAME, cookie:NAME or jwt:HEADER:$.CLAIM; repeat it for more. "
        "Default: header:authorization, if more than 1 % of successful requests have it.",
        show_default=False,
    ),
]
MinRequests = Annotated[int, typer.Option(min=1, help="Successful requests an operation needs.")]
MinScore = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Mean likelihood to be an API call that an operation needs. Default: the classifier's.", show_default=False),
]
AllTraffic = Annotated[bool, typer.Option("--all-traffic", help="Take everything for API calls: for captures that hold nothing else.")]


@app.command("files")
def files_(
    captured: Files,
    host: Host = None,
    session_identifier: SessionIdentifierOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the operations there as a JSON array; '-' is standard output.")
    ] = None,
    min_requests: MinRequests = MIN_REQUESTS,
    min_score: MinScore = None,
    all_traffic: AllTraffic = False,
    pin: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST/ENDPOINT", help="A template you know: api.example.com/users/{name}; repeat it for more.", show_default=False),
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="'METHOD HOST/PATH'", help="Tell why this path has the template it has.", show_default=False)
    ] = None,
    format_: Format = None,
    as_json: AsJson = False,
) -> None:
    """
    Find the operations in captures: method, host, and path template with its variables.

    An operation is found by its looks (ML), by a session identifier on its requests, or both. Only requests answered with 2xx count.

    \b
    Examples:
      hauberk discover capture.har
      hauberk discover access.log traffic.ndjson.zst -o operations.json
      hauberk discover capture.har --session-identifier cookie:sid --host api.example.com
      hauberk discover capture.har --explain 'GET api.example.com/users/42'
    """
    survey = _survey(captured, format_, host, session_identifier, all_traffic=all_traffic)
    rules = owner_rules(_pins(pin or []))
    if explain is not None:
        captures.print_explanation(Output(as_json=as_json), survey, explain, rules)
        return
    found = _found(survey, rules, session_identifier, Thresholds(min_requests, captures.min_score(min_score)))
    rows = [_row(candidate) for candidate in found]
    out = Output(as_json=as_json)
    if output is not None:
        files.write(output, json.dumps(rows, indent=1, ensure_ascii=False) + "\n", force=True)
    if output != files.STANDARD:
        out.table(rows, _COLUMNS, empty="no operations found")
    _summarise(out, survey, rows)
