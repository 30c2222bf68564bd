"""`hauberk schema trial` and the rules that owners relax because of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.cli import files
from hauberk.cli.failure import Failure
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote, remote
from hauberk.cli.saved import OperationArgument, find_operation, named

RuleArgument = Annotated[str, typer.Argument(help="As a trial names it, e.g. 'query/page maximum'.", show_default=False)]


@remote()
def trial(
    plane: Remote,
    operation: Annotated[
        str | None, typer.Option(metavar="OPERATION", help="Only this one: its id, or 'POST api.example.com /temps'.", show_default=False)
    ] = None,
    host: Annotated[str | None, typer.Option(help="Only operations of this host.", show_default=False)] = None,
    schema: Annotated[
        Path | None, typer.Option(help="Try this OpenAPI document, not what would be in force; '-' is standard input.", show_default=False)
    ] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Try this learned version of the operation. Default: the newest.", show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Count the requests that the schema was learned from as well.", show_default=False)
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Judge so many requests at most, the newest first.")] = 100_000,
    relax: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="Then relax this rule where it was broken; repeat it for more.", show_default=False),
    ] = None,
) -> None:
    """
    Replay recorded requests, and tell what schemas would have refused, had they been in force. Nothing is refused by that.

    Of each operation the uploaded schema that is in force is tried, else the newest learned one. Requests count that were answered with 2xx
    and that it was not learned from: each one refused is a false positive. What was answered otherwise is told apart.

    \b
    Examples:
      hauberk schema trial
      hauberk schema trial --host api.example.com --relax 'query/page maximum'
      hauberk schema trial --schema openapi.yaml --json
    """
    body: dict[str, Any] = {"everything": everything, "most": limit}
    if operation is not None:
        found = find_operation(plane, shlex.split(operation))
        body["operation_ids"], host = [found["operation_id"]], found["host"]
    elif host is not None:
        body["hosts"] = [host]
    if version is not None:
        body["version"] = version
    if schema is not None:
        body["source"] = files.read_text(schema)
    result = plane.client.post(plane.own_zone_path("learning", "trial", host=host), body)
    if not result["operations"]:
        raise Failure("there is no schema to try", "'hauberk schema learned list' tells how far learning is")
    changed = _relax(plane, result, relax or [], host)
    if plane.out.as_json:
        plane.out.json(result | ({"relaxed": changed} if relax else {}))
        return
    _print(plane, result)
    if relax:
        _say_relaxed(plane, changed)
    else:
        plane.out.say(f"next: {_next(result)}")


@remote()
def relax(plane: Remote, rule: RuleArgument, operation: OperationArgument) -> None:
    """
    Relax a rule of an operation's learned schema: it is not learned any more, and at once a version without it follows.

    If a learned schema is in force, the new version takes its place within two seconds.

    \b
    Example:
      hauberk schema relax 'query/page maximum' GET api.example.com /users
    """
    found = find_operation(plane, operation)
    _say_relaxed(plane, [_relaxed(plane, found, [rule])])


@remote()
def restore(plane: Remote, rule: RuleArgument, operation: OperationArgument) -> None:
    """
    Take it back that a rule was relaxed; the next run of learning, which is asked for, may state it again.

    \b
    Example:
      hauberk schema restore 'query/page maximum' GET api.example.com /users
    """
    found = find_operation(plane, operation)
    path = plane.own_zone_path("learning", "operations", found["operation_id"], "relaxed", host=found["host"])
    result = plane.client.delete(path, rule=rule)
    plane.out.done(f"Restored '{printable(rule)}' of {named(found)}", result, then="hauberk schema learned list")


@remote()
def relaxed(
    plane: Remote,
    host: Annotated[str | None, typer.Option(help="Only operations of this host.", show_default=False)] = None,
) -> None:
    """
    List the rules that are relaxed.

    \b
    Example:
      hauberk schema relaxed
    """
    rows = [row for row in plane.client.pages(plane.own_zone_path("learning", "relaxed", host=host)) if host in {None, row["host"]}]
    columns: dict[str, Any] = {"RULE": "rule", "METHOD": "method", "HOST": "host", "ENDPOINT": "endpoint", "RELAXED": "relaxed_at"}
    plane.out.table(rows, columns, empty="no rule is relaxed: 'hauberk schema trial' tells which ones refuse too much")


def _relax(plane: Remote, result: dict[str, Any], rules: list[str], host: str | None) -> list[dict[str, Any]]:
    """Relax rules of the operations where the trial has seen them broken."""
    broken: dict[str, set[str]] = {}
    for part in ("successful", "others"):
        for rule in result[part]["rules"]:
            if rule["can_be_relaxed"]:
                broken.setdefault(rule["rule"], set()).add(rule["operation_id"])
    unknown = [rule for rule in rules if rule not in broken]
    if unknown:
        raise Failure(
            f"the trial has seen no request that breaks '{printable(unknown[0])}'; nothing was relaxed", "it lists the rules that are"
        )
    of_operation: dict[str, list[str]] = {}
    for rule in rules:
        for operation_id in sorted(broken[rule]):
            of_operation.setdefault(operation_id, []).append(rule)
    learned = {one["operation_id"]: one for one in result["operations"] if one["schema"] == "learned"}
    elsewhere = [operation_id for operation_id in of_operation if operation_id not in learned]
    if elsewhere:
        raise Failure("a rule of an uploaded document is relaxed by editing the document", "'hauberk schema upload' takes the new one")
    return [_relaxed(plane, learned[operation_id], some, host) for operation_id, some in of_operation.items()]


def _relaxed(plane: Remote, operation: dict[str, Any], rules: list[str], host: str | None = None) -> dict[str, Any]:
    path = plane.own_zone_path("learning", "operations", operation["operation_id"], "relaxed", host=host or operation["host"])
    result = plane.client.post(path, {"rules": rules})
    return {name: operation[name] for name in ("method", "host", "endpoint")} | {"rules": rules, **result}


def _say_relaxed(plane: Remote, changed: list[dict[str, Any]]) -> None:
    for one in changed:
        where = "in force" if one["in_force"] else "not in force yet"
        plane.out.say(f"Relaxed {', '.join(map(repr, one['rules']))} of {named(one)}: version {one['version']}, {where}")
    plane.out.done(f"Relaxed in {len(changed)} operation{'s' * (len(changed) != 1)}", changed, then="hauberk schema trial")


def _print(plane: Remote, result: dict[str, Any]) -> None:
    for part in ("successful", "others"):
        one = result[part]
        kind = "successful requests" if part == "successful" else "requests that were not answered with 2xx"
        if part == "successful" or one["requests"]:
            plane.out.say(f"would have refused {one['refused']:,} of {one['requests']:,} {kind}{':' if one['refused'] else ''}")
        if not one["refused"]:
            continue
        columns: dict[str, Any] = {
            "RULE": "rule",
            "OPERATION": "operation",
            "REQUESTS": lambda rule: f"{rule['requests']:,}",
            "SESSIONS": lambda rule: f"{rule['sessions']:,}",
            "FIRST": lambda rule: _minute(rule["first_seen"]),
            "LAST": lambda rule: _minute(rule["last_seen"]),
            "BECAUSE OF": lambda rule: rule["explanation"] + (f": {', '.join(rule['names'])}" if rule["names"] else ""),
        }
        plane.out.table(one["rules"], columns, empty="")
    if not result["complete"]:
        plane.out.say("older requests were not looked at: --limit looks at more")
    if result["without_schema"]:
        plane.out.say(f"{len(result['without_schema'])} operations have no schema yet")


def _next(result: dict[str, Any]) -> str:
    rules = [rule for rule in result["successful"]["rules"] if rule["can_be_relaxed"]]
    if rules:
        return f"hauberk schema trial --relax {shlex.quote(printable(rules[0]['rule']))}"
    if not result["successful"]["requests"]:
        return "wait for more requests, or try --everything"
    return "hauberk schema learned apply --all, then hauberk events --follow"


def _minute(time: str | None) -> str | None:
    return None if time is None else time[:16].replace("T", " ")
