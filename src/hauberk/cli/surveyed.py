"""What commands that look for operations in captures have in common: their options, and the survey itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.candidate import Candidate
from hauberk.cli.captures import take
from hauberk.cli.failure import Failure
from hauberk.discovery.thresholds import Thresholds, candidates, found_operations
from hauberk.operation import METHODS, normalise_endpoint
from hauberk.template_rule import TemplateRule
from hauberk.traffic.files import ReadOptions

# A capture is all there is: no window to wait for, so what was seen once counts.
MIN_REQUESTS = 1

MAX_PATHS = 4_000_000

Hosts = Annotated[list[str] | None, typer.Option("--host", help="Only this host; repeat it for more.", show_default=False)]
SessionIdentifiers = Annotated[
    list[str] | None,
    typer.Option(
        "--session-identifier",
        "-s",
        metavar="TYPE:NAME",
        help="Where requests carry who is calling: header:NAME, cookie:NAME or jwt:HEADER:$.CLAIM; repeat it for more. "
        "'hauberk discover propose FILE…' tells which ones there are.",
        show_default=False,
    ),
]
MinRequests = Annotated[int, typer.Option(min=1, help="Successful requests an operation needs.")]
MinScore = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, help="Mean likelihood to be an API call that an operation needs. Default: the classifier's own.", show_default=False
    ),
]
AllTraffic = Annotated[bool, typer.Option("--all-traffic", help="Take everything for API calls: for captures that hold nothing else.")]
Pins = Annotated[
    list[str] | None,
    typer.Option(
        "--pin",
        metavar="HOST/PATH",
        help="A template you know, such as api.example.com/users/{name}; repeat it for more.",
        show_default=False,
    ),
]


class Surveyed:
    """Captures that were read."""

    def __init__(
        self,
        captures: Sequence[Path],
        options: ReadOptions,
        hosts: Sequence[str] | None,
        identifiers: Sequence[str] | None,
        *,
        scored: bool,
        doing: str = "reading",
    ) -> None:
        from hauberk import _native  # noqa: PLC0415 - the compiled part, which commands that only speak REST do without

        self._model_threshold = _native.API_THRESHOLD
        try:
            self._survey = _native.Survey(
                session_identifiers=list(identifiers or []), hosts=list(hosts or []), scored=scored, max_paths=MAX_PATHS
            )
        except ValueError as error:
            raise Failure(str(error), "e.g. --session-identifier header:authorization", status=2) from None
        self.reports = take(self._survey, captures, options, doing=doing)
        self.tally: dict[str, int] = json.loads(self._survey.tally())

    def candidates(self, rules: str, min_requests: int, min_score: float | None) -> list[Candidate]:
        """Give what passes the thresholds."""
        thresholds = Thresholds(min_requests, self._model_threshold if min_score is None else min_score)
        return candidates(found_operations(self._survey.operations(rules)), thresholds)

    def explained(self, what: str, rules: str) -> dict[str, Any]:
        """
        Tell why a path has its template.

        Raises:
            Failure: If nothing like it was seen.
        """
        method, _, rest = what.strip().partition(" ")
        host, slash, path = rest.strip().partition("/")
        if method.upper() not in METHODS or not host or not slash:
            raise Failure("--explain takes a method, a blank, a host and a path", "e.g. --explain 'GET api.example.com/users/42'", status=2)
        text = self._survey.explain(host.lower(), method.upper(), "/" + path, rules)
        if text is None:
            raise Failure(f"no successful request was read that is {method.upper()} {host} and like this path")
        return dict(json.loads(text))

    def summary(self, operations: int) -> str:
        """Say in a sentence what was read and found."""
        tally = self.tally
        said = f"{operations:,} operations in {tally['counted']:,} successful requests of {tally['transactions']:,} transactions"
        if tally["left_out"]:
            said += f"; {tally['left_out']:,} requests were left out: of paths no operation can have, or too many hosts and paths"
        return said


def pinned(text: str) -> TemplateRule:
    """
    Read a template that the owner knows.

    Raises:
        Failure: If it is no host with a path.
    """
    host, slash, path = text.partition("/")
    if not host or not slash:
        raise Failure(f"--pin {text}: must be a host and a path", "e.g. --pin 'api.example.com/users/{name}'", status=2)
    try:
        return TemplateRule("pin", host.lower(), None, normalise_endpoint("/" + path))
    except ValueError as error:
        raise Failure(f"--pin {text}: the path {error}", status=2) from None
