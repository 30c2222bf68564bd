"""`hauberk discovery`: what the traffic shows, reviewed: saved, put aside, explained."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.candidate import Candidate, Origin
from hauberk.cli import session_identifiers, template_rules
from hauberk.cli.comparing import print_comparison
from hauberk.cli.discovered import find, listed, named
from hauberk.cli.explaining import print_explanation
from hauberk.cli.failure import Failure
from hauberk.cli.files import write
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote, remote
from hauberk.discovery.comparison import compare
from hauberk.discovery.pictures import comparison_svg

app = typer.Typer(no_args_is_help=True, help="Operations found in the traffic: review them, save the right ones.")
app.add_typer(template_rules.app, name="rules")
app.add_typer(session_identifiers.app, name="session-identifiers")

POLL_SECONDS = 0.5

CandidateArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CANDIDATE", help="Ids, or one as method, host and endpoint: GET api.example.com /users/{id}", show_default=False
    ),
]
HostOption = Annotated[str | None, typer.Option(help="Only this host.", show_default=False)]
MethodOption = Annotated[str | None, typer.Option(help="Only this method.", show_default=False)]
EndpointOption = Annotated[
    str | None, typer.Option(help="Only endpoints that contain this; 'var1' finds those with variables.", show_default=False)
]


class StateName(StrEnum):
    """What became of a candidate."""

    REVIEW = "review"
    SAVED = "saved"
    IGNORED = "ignored"


class OriginName(StrEnum):
    """Which way found it."""

    ML = "ML"
    SESSION_IDENTIFIER = "SessionIdentifier"


class Order(StrEnum):
    """What a list is ordered by."""

    ENDPOINT = "endpoint"
    REQUESTS = "requests"
    UPDATED = "updated"


@app.command("list")
@remote()
def list_candidates(
    plane: Remote,
    state: Annotated[StateName | None, typer.Option(help="Only these.", show_default=False)] = None,
    host: HostOption = None,
    method: MethodOption = None,
    endpoint: EndpointOption = None,
    origin: Annotated[OriginName | None, typer.Option(help="Only those this way finds.", show_default=False)] = None,
    order: Annotated[Order, typer.Option(help="By endpoint, by most requests, or by last update.")] = Order.ENDPOINT,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default=False)] = None,
) -> None:
    """
    List what was found in the traffic.

    REQUESTS counts successful requests in the window (settings: discovery.window_days), SCORE is how much like API calls they look, and
    PATHS is how many different paths a template stands for.

    \b
    Examples:
      hauberk discovery list --state review --order requests
      hauberk discovery list --host api.example.com --endpoint var1
    """
    rows = listed(plane, state=state, host=host, method=method, endpoint=endpoint, origin=origin, order=order.value, limit=limit)
    columns: dict[str, Any] = {
        "METHOD": "method",
        "HOST": "host",
        "ENDPOINT": "endpoint",
        "STATE": "state",
        "ORIGIN": "origin",
        "REQUESTS": "requests",
        "SCORE": lambda row: None if row["score"] is None else f"{row['score']:.2f}",
        "PATHS": "distinct_paths",
        "ID": "id",
    }
    plane.out.table(rows, columns, empty="nothing was found: 'hauberk discovery refresh' looks at the traffic now and tells what it saw")


@app.command("save")
@remote()
def save(
    plane: Remote,
    candidate: CandidateArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="All in review that the other options leave.", show_default=False)] = False,
    host: HostOption = None,
    method: MethodOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """
    Save candidates as operations. Gateways know them within two seconds.

    \b
    Examples:
      hauberk discovery save GET api.example.com "/users/{id}"
      hauberk discovery save --all --host api.example.com
    """
    rows = _chosen(plane, candidate, everything, StateName.REVIEW, host, method, endpoint)
    if not rows:
        plane.out.done("Nothing is in review, so nothing was saved", [])
        return
    body = [{name: row[name] for name in ("method", "host", "endpoint")} for row in rows]
    saved = [operation for part in _parts(body) for operation in plane.client.post(_path(plane, "operations", host=rows[0]["host"]), part)]
    plane.out.done(_said("Saved", rows), saved, then="hauberk status --wait")


@app.command("ignore")
@remote()
def ignore(
    plane: Remote,
    candidate: CandidateArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="All in review that the other options leave.", show_default=False)] = False,
    host: HostOption = None,
    method: MethodOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """
    Put candidates aside: they stay ignored, also when they are seen again.

    \b
    Examples:
      hauberk discovery ignore GET www.example.com /robots.txt
      hauberk discovery ignore --all --host www.example.com
    """
    _set_state(plane, _chosen(plane, candidate, everything, StateName.REVIEW, host, method, endpoint), StateName.IGNORED)


@app.command("restore")
@remote()
def restore(
    plane: Remote,
    candidate: CandidateArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="All ignored that the other options leave.", show_default=False)] = False,
    host: HostOption = None,
    method: MethodOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """
    Take ignored candidates back into review.

    \b
    Example:
      hauberk discovery restore GET www.example.com /robots.txt
    """
    _set_state(plane, _chosen(plane, candidate, everything, StateName.IGNORED, host, method, endpoint), StateName.REVIEW)


@app.command("explain")
@remote()
def explain(
    plane: Remote,
    method: Annotated[str, typer.Argument(help="E.g. GET.", show_default=False)],
    host: Annotated[str, typer.Argument(help="E.g. api.example.com.", show_default=False)],
    path: Annotated[str, typer.Argument(help="A path as it was requested, or an endpoint.", show_default=False)],
) -> None:
    """
    Tell why a path is grouped into its endpoint, and what that lacks to be listed.

    \b
    Example:
      hauberk discovery explain GET api.example.com /users/4711
    """
    result = plane.client.get(plane.own_zone_path("discovery", "explain", host=host), method=method.upper(), host=host, path=path)
    if plane.out.as_json:
        plane.out.json(result)
        return
    print_explanation(plane.out, result["explanation"], pinned="a rule of yours says so: 'hauberk discovery rules list' shows it")
    operation = result["operation"]
    if operation is not None:
        requests, score = operation["requests"], operation["score"]
        plane.out.line(f"{requests} successful requests, mean score {score:.2f}, {operation['distinct_paths']} different paths")
        plane.out.line("found by: " + (", ".join(operation["origin"]) or "neither way, so it is not listed"))
        for lacking in operation["lacks"]:
            plane.out.line(f"lacks: {printable(lacking)}")


@app.command("refresh")
@remote()
def refresh(
    plane: Remote,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="How long to wait, in seconds.")] = 600,
) -> None:
    """
    Look at the traffic now instead of at the next turn, and tell what was seen.

    \b
    Examples:
      hauberk discovery refresh
      hauberk discovery refresh --no-wait
    """
    path = plane.own_zone_path("discovery", "refresh")
    asked = plane.client.post(path, None)
    status, until = asked, time.monotonic() + timeout
    while wait and (status["state"] in {"requested", "running"} or status["finished_at"] is None):
        if time.monotonic() > until:
            raise Failure("discovery was not done in time", "'hauberk discovery refresh --timeout 3600' waits longer; it goes on meanwhile")
        time.sleep(POLL_SECONDS)
        status = plane.client.get(path)
    if status["state"] == "failed":
        raise Failure(f"discovery failed: {printable(status['error'])}", "the control plane's log has the details")
    if status["state"] == "cancelled":
        raise Failure("discovery was cancelled", "'hauberk discovery refresh' begins again")
    if not wait:
        plane.out.done("Asked for", status, then="hauberk discovery refresh, which tells when it is done")
        return
    read, found, candidates = status["paths_read"], status["operations_found"], status["candidates"]
    plane.out.done(
        f"Looked at {read} rows of paths: {found} operations, of which {candidates} are candidates",
        status,
        then="hauberk discovery list --state review" if candidates else "hauberk discovery explain METHOD HOST PATH tells what one lacks",
    )


@app.command("cancel")
@remote()
def cancel(plane: Remote) -> None:
    """
    Cancel a look at the traffic that is under way or asked for. What was found before stays.

    \b
    Example:
      hauberk discovery cancel
    """
    status = plane.client.delete(plane.own_zone_path("discovery", "refresh"))
    plane.out.done("Cancelled", status, then="hauberk discovery refresh looks again")


@app.command("compare")
@remote()
def compare_ways(
    plane: Remote,
    svg: Annotated[Path | None, typer.Option(help="Write the histograms as a picture to this file.", show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.", show_default=False)] = False,
) -> None:
    """
    Compare the two ways of discovery: what the classifier finds beside what requests with a session identifier show.

    \b
    Examples:
      hauberk discovery compare
      hauberk discovery compare --svg comparison.svg
    """
    comparison = compare(_as_candidate(row) for row in listed(plane))
    if svg is not None:
        write(svg, comparison_svg(comparison), force=force)
        plane.out.say(f"Wrote {svg}")
    print_comparison(plane.out, comparison)


def _chosen(
    plane: Remote,
    words: list[str] | None,
    everything: bool,
    state: StateName,
    host: str | None,
    method: str | None,
    endpoint: str | None,
) -> list[dict[str, Any]]:
    if everything and words:
        raise Failure(
            "--all and a candidate do not go together", "name candidates, or use --all with --host, --method, --endpoint", status=2
        )
    if everything:
        return listed(plane, state=state, host=host, method=method, endpoint=endpoint)
    if host or method or endpoint:
        raise Failure("--host, --method and --endpoint go with --all", "add --all, or name one candidate", status=2)
    return find(plane, words or [])


def _set_state(plane: Remote, rows: list[dict[str, Any]], state: StateName) -> None:
    if not rows:
        plane.out.done("There is none, so nothing was changed", {})
        return
    path = _path(plane, "discovery", "operations", host=rows[0].get("host"))
    changed: dict[str, Any] = {}
    for part in _parts(rows):
        changed |= plane.client.patch(path, {row["id"]: {"state": state.value} for row in part})
    plane.out.done(_said("Ignored" if state is StateName.IGNORED else "Back in review:", rows), changed)


def _path(plane: Remote, *segments: str, host: str | None) -> str:
    return plane.zone_path("api_gateway", *segments, host=host)


def _parts(items: list[Any], size: int = 1000) -> list[list[Any]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def _said(verb: str, rows: list[dict[str, Any]]) -> str:
    return f"{verb} {named(rows[0])}" if len(rows) == 1 else f"{verb} {len(rows)} operations"


def _as_candidate(row: dict[str, Any]) -> Candidate:
    origins: tuple[Origin, ...] = tuple(row["origin"])
    counts = {name: row[name] for name in ("requests", "score", "distinct_paths")}
    return Candidate(row["method"], row["host"], row["endpoint"], origins, first_seen=None, last_seen=None, examples=(), **counts)
