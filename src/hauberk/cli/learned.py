"""`hauberk schema learned`: schemas that were learned from traffic: looked at, put in force, taken back."""

from __future__ import annotations

import json
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.cli import files
from hauberk.cli.failure import Failure
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote, remote
from hauberk.cli.saved import OperationArgument, find_operation, named
from hauberk.learning_state import LearningState

app = typer.Typer(no_args_is_help=True, help="Schemas learned from traffic: look at them, put them in force, go back.")

POLL_SECONDS = 0.5

HostOption = Annotated[str | None, typer.Option(help="Only this host.", show_default=False)]
VersionOption = Annotated[int | None, typer.Option(min=1, help="A version. Default: the newest.", show_default=False)]


class Action(StrEnum):
    """What happens to requests that break a learned schema."""

    NONE = "none"
    LOG = "log"
    BLOCK = "block"
    KEEP = "keep"


class OpenApi(StrEnum):
    """Versions of OpenAPI that can be written."""

    OLDER = "3.0.3"
    NEWER = "3.1.0"


class Switch(StrEnum):
    """Whether learned schemas are applied by themselves."""

    ON = "on"
    OFF = "off"


ActionOption = Annotated[
    Action | None,
    typer.Option(
        help="What happens to requests that break it; keep: what is set. Default: log, where the operation has no action of its own.",
        show_default=False,
    ),
]


@app.command("list")
@remote()
def list_learned(
    plane: Remote,
    host: HostOption = None,
    method: Annotated[str | None, typer.Option(help="Only this method.", show_default=False)] = None,
    endpoint: Annotated[str | None, typer.Option(help="Only endpoints that contain this.", show_default=False)] = None,
    state: Annotated[LearningState | None, typer.Option(help="Only operations in this state.", show_default=False)] = None,
) -> None:
    """
    List how learning stands for each saved operation.

    NEWEST is the number of the newest learned version, IN FORCE the one that requests are judged by, or 'uploaded': a learned schema never
    takes the place of an uploaded one.

    \b
    Examples:
      hauberk schema learned list
      hauberk schema learned list --state learning --host api.example.com
    """
    path = plane.own_zone_path("learning", "operations", host=host)
    query: dict[str, Any] = {"host": host, "method": method.upper() if method else None, "endpoint": endpoint, "state": state}
    rows = list(plane.client.pages(path, **query))
    columns: dict[str, Any] = {
        "METHOD": "method",
        "HOST": "host",
        "ENDPOINT": "endpoint",
        "LEARNING": "message",
        "NEWEST": lambda row: (row["newest"] or {}).get("version"),
        "IN FORCE": _in_force,
        "ACTION": "mitigation_action",
        "ID": "operation_id",
    }
    plane.out.table(rows, columns, empty="no operation is saved: 'hauberk discovery list' shows those that the traffic has")
    for note in sorted({note for row in rows for note in row["notes"]}):
        plane.out.say(f"note: {printable(note)}")


@app.command("show")
@remote()
def show(
    plane: Remote,
    operation: OperationArgument,
    version: VersionOption = None,
    document: Annotated[bool, typer.Option("--document", help="Print the OpenAPI document that is enforced.", show_default=False)] = False,
) -> None:
    """
    Show what was learned of an operation, and on what evidence.

    Each row is one thing the schema says; those that it does not dare to say yet tell in NEEDS how many more samples it takes. RISK is how
    likely the next legitimate request breaks it. RULE is its name for 'hauberk schema relax'.

    \b
    Examples:
      hauberk schema learned show GET api.example.com "/users/{id}"
      hauberk schema learned show GET api.example.com "/users/{id}" --document > learned.json
    """
    found = find_operation(plane, operation)
    learned = plane.client.get(_path(plane, found, "versions", str(version or "newest")))
    if document:
        plane.out.json(learned["document"])
        return
    if plane.out.as_json:
        plane.out.json(learned)
        return
    count = len(learned["statement_list"]) - learned["statements"]
    plane.out.say(
        f"{named(found)}: version {learned['version']}, learned {learned['created_at'][:16].replace('T', ' ')} from {learned['requests']} "
        f"requests ({learned['samples']} count); it makes {learned['statements']} statements and leaves {count} open"
    )
    columns: dict[str, Any] = {
        "RULE": "rule",
        "SAYS": lambda row: json.dumps(row["value"], ensure_ascii=False) if row["made"] else None,
        "SAMPLES": lambda row: row["evidence"]["samples"],
        "SESSIONS": lambda row: row["evidence"]["sessions"],
        "DAYS": lambda row: row["evidence"]["days"],
        "RISK": lambda row: f"{row['evidence']['probability']:.2g}",
        "NEEDS": lambda row: row["evidence"].get("needs"),
    }
    plane.out.table(learned["statement_list"], columns, empty="it says nothing")


@app.command("versions")
@remote()
def versions(plane: Remote, operation: OperationArgument) -> None:
    """
    List the learned versions of an operation that are kept.

    \b
    Example:
      hauberk schema learned versions GET api.example.com "/users/{id}"
    """
    found = find_operation(plane, operation)
    rows = list(plane.client.pages(_path(plane, found, "versions")))
    columns = {
        "VERSION": "version",
        "LEARNED": "created_at",
        "REQUESTS": "requests",
        "SAMPLES": "samples",
        "STATEMENTS": "statements",
        "IN FORCE": "in_force",
    }
    plane.out.table(rows, columns, empty=f"nothing was learned of {named(found)} yet: 'hauberk schema learned list' tells how far it is")


@app.command("diff")
@remote()
def diff(
    plane: Remote,
    operation: OperationArgument,
    before: Annotated[int | None, typer.Option(min=1, help="A version. Default: the one in force.", show_default=False)] = None,
    after: VersionOption = None,
) -> None:
    """
    Tell how two learned versions of an operation differ: the one in force and the newest, unless others are named.

    A change that is breaking refuses requests that conformed before.

    \b
    Examples:
      hauberk schema learned diff GET api.example.com "/users/{id}"
      hauberk schema learned diff GET api.example.com "/users/{id}" --before 2 --after 3
    """
    found = find_operation(plane, operation)
    told = plane.client.get(_path(plane, found, "difference"), before=before, after=after)
    if plane.out.as_json:
        plane.out.json(told)
        return
    kind = "nothing" if not told["changes"] else "breaking" if told["breaking"] else "only looser"
    plane.out.say(f"{named(found)}, version {told['before']} to {told['after']}: {kind}")
    columns: dict[str, Any] = {"BREAKING": "breaking", "KIND": "kind", "WHERE": "where", "WHAT": "what"}
    plane.out.table(told["changes"], columns, empty="requests are judged alike by both")


@app.command("export")
@remote()
def export(
    plane: Remote,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="A file; with several hosts a folder, which gets a document for each. '-' is standard output."),
    ] = files.STANDARD,
    host: HostOption = None,
    openapi: Annotated[OpenApi, typer.Option(help="The version of OpenAPI to write.")] = OpenApi.OLDER,
    evidence: Annotated[
        bool, typer.Option("--evidence/--no-evidence", help="Write what each statement rests on, as x-hauberk-evidence.")
    ] = True,
    in_force: Annotated[bool, typer.Option("--in-force", help="The versions in force instead of the newest.", show_default=False)] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files.", show_default=False)] = False,
) -> None:
    """
    Write what was learned as OpenAPI documents, to edit and upload or to keep.

    \b
    Examples:
      hauberk schema learned export --host api.example.com -o learned.json && hauberk schema upload learned.json
      hauberk schema learned export -o learned/
    """
    path = plane.own_zone_path("learning", "schemas", host=host)
    exported = plane.client.get(path, host=host, openapi=openapi, evidence=evidence, applied=in_force)
    if not exported:
        raise Failure("nothing was learned yet" + (f" on {host}" if host else ""), "'hauberk schema learned list' tells how far it is")
    texts = {one["host"]: json.dumps(one["document"], indent=2, ensure_ascii=False) + "\n" for one in exported}
    if output == files.STANDARD and len(texts) > 1:
        raise Failure(f"{len(texts)} hosts have learned schemas", "name one with --host, or a folder with --output", status=2)
    if output == files.STANDARD:
        plane.out.line(next(iter(texts.values())).rstrip("\n"))
        return
    into_folder = output.is_dir() or len(texts) > 1
    targets = {output / f"{name.replace('{', '').replace('}', '')}.json" if into_folder else output: text for name, text in texts.items()}
    files.refuse_existing(list(targets), force=force)
    for file, text in targets.items():
        files.write(file, text, force=force)
    plane.out.done(f"Wrote {', '.join(str(file) for file in targets)}", [str(file) for file in targets], then="hauberk schema upload FILE")


@app.command("apply")
@remote()
def apply(
    plane: Remote,
    operation: Annotated[
        list[str] | None, typer.Argument(metavar="OPERATION", help="Its id, or method, host and endpoint.", show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All operations of the host, or of the zone's hosts.", show_default=False)
    ] = False,
    host: HostOption = None,
    version: VersionOption = None,
    action: ActionOption = None,
) -> None:
    """
    Put learned schemas in force; gateways judge requests by them within two seconds.

    An operation without an action of its own starts with 'log': violations become events and refuse nothing. Look at the events, relax what
    is too tight, then block. Operations with an uploaded schema are unaffected.

    \b
    Examples:
      hauberk schema learned apply GET api.example.com "/users/{id}"
      hauberk schema learned apply --all --host api.example.com
      hauberk events --follow
      hauberk operation action block GET api.example.com "/users/{id}"
    """
    if everything == bool(operation):
        raise Failure("name one operation, or --all", "'hauberk schema learned list' shows those there are", status=2)
    if everything and version is not None:
        raise Failure("--version is of one operation", "name it instead of --all", status=2)
    asked = action.value if action is not None else None
    if operation:
        found = find_operation(plane, operation)
        body: dict[str, Any] = {"mitigation_action": asked} | ({"version": version} if version is not None else {})
        envelope = plane.client.envelope(_path(plane, found, "apply"), body)
        applied = [envelope["result"]]
    else:
        hosts = [host] if host is not None else [row["host"] for row in plane.client.pages(plane.own_zone_path("learning", "hosts"))]
        if not hosts:
            raise Failure("no operation is saved", "'hauberk discovery list' shows those that the traffic has")
        envelope = plane.client.envelope(plane.own_zone_path("learning", "apply", host=host), {"hosts": hosts, "mitigation_action": asked})
        applied = envelope["result"]
    changed = [one for one in applied if one["outcome"] == "applied"]
    for message in envelope["messages"]:
        plane.out.say(f"note: {printable(message['message'])}")
    text = "Nothing was applied"
    if len(changed) == 1:
        text = f"Applied version {changed[0]['version']} to {named(changed[0])}"
    elif changed:
        text = f"Applied learned schemas to {len(changed)} operations"
    plane.out.done(text, applied, then="hauberk status --wait" if changed else "hauberk schema learned list")


@app.command("withdraw")
@remote()
def withdraw(plane: Remote, operation: OperationArgument) -> None:
    """
    Take an operation's learned schema out of force; its versions stay.

    \b
    Example:
      hauberk schema learned withdraw GET api.example.com "/users/{id}"
    """
    found = find_operation(plane, operation)
    result = plane.client.delete(_path(plane, found, "applied"))
    plane.out.done(f"Requests to {named(found)} are no longer judged by a learned schema", result, then="hauberk status --wait")


@app.command("rollback")
@remote()
def rollback(
    plane: Remote,
    operation: OperationArgument,
    to: Annotated[int | None, typer.Option(min=1, help="A version. Default: the one that was in force before.", show_default=False)] = None,
) -> None:
    """
    Go back to an older learned version. Newer ones are not applied by themselves then, until one is applied again.

    \b
    Examples:
      hauberk schema learned rollback GET api.example.com "/users/{id}"
      hauberk schema learned rollback GET api.example.com "/users/{id}" --to 3
    """
    found = find_operation(plane, operation)
    result = plane.client.post(_path(plane, found, "rollback"), {"version": to})
    text = f"Version {result['version']} of {named(found)} is in force" + (" again" if result["outcome"] == "applied" else " already")
    plane.out.done(text, result, then="hauberk status --wait")


@app.command("run")
@remote()
def run(
    plane: Remote,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="How long to wait, in seconds.")] = 600,
) -> None:
    """
    Learn from the traffic now instead of at the next turn, and tell what came of it.

    Whatever differs becomes a new version, even if the last one is younger than learning.version_hours.

    \b
    Examples:
      hauberk schema learned run
      hauberk schema learned run --no-wait
    """
    path = plane.own_zone_path("learning")
    asked = plane.client.post(plane.own_zone_path("learning", "run"), None)
    status, until = asked, time.monotonic() + timeout
    while wait and (status["state"] in {"requested", "running"} or status["finished_at"] is None):
        if time.monotonic() > until:
            raise Failure("learning was not done in time", "'hauberk schema learned run --timeout 3600' waits longer; it goes on meanwhile")
        time.sleep(POLL_SECONDS)
        status = plane.client.get(path)
    if status["state"] == "waiting_to_retry" and wait:
        raise Failure(f"learning failed: {printable(status['error'])}", "it is tried again; the control plane's log has the details")
    if status["cancelled_at"] is not None and wait:
        raise Failure("the run was cancelled", "'hauberk schema learned run' goes on from where it ended")
    if not wait:
        plane.out.done("Asked for", status, then="hauberk schema learned list")
        return
    plane.out.done(
        f"Read {status['rows_read']} new rows for {status['operations']} operations: {status['states']['schema_learned']} have a schema, "
        f"{status['states']['learning']} need more requests; {status['new_versions']} new versions",
        status,
        then="hauberk schema learned list",
    )


@app.command("cancel")
@remote()
def cancel(plane: Remote) -> None:
    """
    Cancel the run of learning that is under way. What it has read and learned in whole steps stays; the next run goes on from there.

    \b
    Example:
      hauberk schema learned cancel
    """
    status = plane.client.delete(plane.own_zone_path("learning", "run"))
    said = "Cancelled: it ends within some seconds" if status["state"] == "running" else "Cancelled before it began"
    plane.out.done(said, status, then="hauberk schema learned run")


@app.command("relearn")
@remote()
def relearn(plane: Remote, operation: OperationArgument) -> None:
    """
    Forget what an operation's requests have shown until now, as after a change of the API. Versions stay, and so does what is in force.

    \b
    Example:
      hauberk schema learned relearn GET api.example.com "/users/{id}"
    """
    found = find_operation(plane, operation)
    result = plane.client.post(_path(plane, found, "relearn"), None)
    plane.out.done(f"What comes to {named(found)} from this hour on is learned", result, then="hauberk schema learned list")


@app.command("auto")
@remote()
def auto(
    plane: Remote,
    switch: Annotated[Switch | None, typer.Argument(help="on or off. Left out: show all hosts.", show_default=False)] = None,
    host: Annotated[str | None, typer.Argument(help="The host, as operations name it.", show_default=False)] = None,
) -> None:
    """
    Say whether learned schemas of a host's operations are applied by themselves, each new version in the place of the one before.

    \b
    Examples:
      hauberk schema learned auto
      hauberk schema learned auto on api.example.com
    """
    if switch is None:
        rows = list(plane.client.pages(plane.own_zone_path("learning", "hosts")))
        plane.out.table(rows, {"HOST": "host", "APPLIED BY ITSELF": "auto_apply"}, empty="no operation is saved yet")
        return
    if host is None:
        raise Failure("which host?", f"e.g. hauberk schema learned auto {switch.value} api.example.com", status=2)
    path = plane.own_zone_path("learning", "hosts", host.lower(), host=host)
    result = plane.client.put(path, {"auto_apply": switch is Switch.ON})
    if switch is Switch.OFF:
        plane.out.done(f"What is learned of {printable(result['host'])} is applied when you say so", result)
        return
    count = len(result["applied"])
    plane.out.done(
        f"What is learned of {printable(result['host'])} is applied by itself; {count} learned schema{'s' * (count != 1)} at once",
        result,
        then="hauberk events --follow",
    )


def _path(plane: Remote, operation: dict[str, Any], *segments: str) -> str:
    return plane.own_zone_path("learning", "operations", operation["operation_id"], *segments, host=operation["host"])


def _in_force(row: dict[str, Any]) -> str | None:
    if row["in_force"] != "learned":
        return None if row["in_force"] is None else str(row["in_force"])
    return f"version {row['applied_version']}" + (", rolled back" if row["rolled_back"] else "")
