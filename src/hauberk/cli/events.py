"""`hauberk events`: what was blocked or logged, and why."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from hauberk.cli.moments import moment
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote, remote

# Gateways bring their events within a second, perhaps not in order: each look reaches this far behind the newest one seen.
_OVERLAP = timedelta(seconds=30)
_POLL_SECONDS = 1.0


class EventAction(StrEnum):
    """What was done."""

    BLOCK = "block"
    LOG = "log"


class Source(StrEnum):
    """Who decided."""

    RULE = "firewallCustom"
    SCHEMA = "apiShieldSchemaValidation"
    SHIELD = "apiShield"


@remote()
def events(
    plane: Remote,
    host: Annotated[str | None, typer.Option(help="Only this host.", show_default=False)] = None,
    action: Annotated[EventAction | None, typer.Option(help="Only blocked or only logged ones.", show_default=False)] = None,
    source: Annotated[
        Source | None, typer.Option(help="Only decisions of rules, of schemas, or of hauberk itself.", show_default=False)
    ] = None,
    operation: Annotated[str | None, typer.Option(metavar="ID", help="Only this operation.", show_default=False)] = None,
    request: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this request, by the id its refusal told.", show_default=False)
    ] = None,
    rule: Annotated[str | None, typer.Option(metavar="ID", help="Only decisions of this rule.", show_default=False)] = None,
    code: Annotated[
        str | None,
        typer.Option(help="Only this reason: kind and detail of the first violation, or the gateway's own word.", show_default=False),
    ] = None,
    path: Annotated[str | None, typer.Option(metavar="PART", help="Only paths that hold this.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: 90s, 10m, 2h, 7d ago, or RFC 3339.", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Then print new ones as they come, until Ctrl-C.")] = False,
) -> None:
    """
    List security events, the newest last. They tell place and kind of what was wrong, never a value.

    A line names the first violation of a request; --json gives all that were found, with the places of their rules.
    With --json --follow each event is one line.

    \b
    Examples:
      hauberk events --host api.example.com --since 10m
      hauberk events --request 6f1c0e… --json
      hauberk events --follow --action block
    """
    query: dict[str, Any] = {
        "host": host.lower() if host else None,
        "action": action.value if action else None,
        "source": source.value if source else None,
        "operation_id": operation,
        "request_id": request,
        "rule_id": rule,
        "code": code,
        "path": path,
    }
    from_, to = moment(since), moment(until)
    resource = plane.zone_path("security_events", host=host)
    found = list(plane.client.pages(resource, limit=limit, since=from_, until=to, **query))[::-1]
    if not follow:
        if plane.out.as_json:
            plane.out.json(found)
        for event in found if not plane.out.as_json else []:
            plane.out.line(describe(event))
        if not found:
            plane.out.say("no events: nothing was blocked or logged")
        return
    seen: dict[str, str] = {}
    while True:
        for event in found:
            if event["id"] not in seen:
                seen[event["id"]] = event["occurred_at"]
                plane.out.line(json.dumps(event, ensure_ascii=False) if plane.out.as_json else describe(event))
        time.sleep(_POLL_SECONDS)
        newest = datetime.fromisoformat(max(seen.values())) if seen else datetime.now(UTC)
        horizon = newest - _OVERLAP
        seen = {id_: at for id_, at in seen.items() if datetime.fromisoformat(at) >= horizon}
        # An event that is older than what was asked for first must not come in by the overlap.
        start = max(horizon, datetime.fromisoformat(from_)) if from_ else horizon
        known = set(seen)
        found = [e for e in list(plane.client.pages(resource, since=start.isoformat(), until=to, **query))[::-1] if e["id"] not in known]


def describe(event: Mapping[str, Any]) -> str:
    """Render an event as one line: time, what was done, to which request, why."""
    request = f"{event['method']} {event['host']}{event['path']}"
    return "  ".join(
        printable(part) for part in (event["occurred_at"], event["action"].ljust(5), request, why(event), f"request {event['request_id']}")
    )


def why(event: Mapping[str, Any]) -> str:
    """Tell in a few words what an event's request did wrong."""
    violation = event.get("violation")
    if violation:
        detail = f" ({violation['error_detail']})" if violation.get("error_detail") else ""
        others = len(event.get("violations") or [violation]) - 1
        more = f", and {others} more" if others > 0 else ""
        return f"{violation['location']} {violation['target']}: {violation['error_class']}{detail}{more}"
    certificate = event.get("client_certificate")
    if certificate is None:
        state = "no client certificate"
    else:
        kind = "revoked" if certificate.get("revoked") else "verified" if certificate.get("verified") else "unverified"
        state = f"{kind} client certificate {certificate.get('serial_number')}"
    return f"rule {event['rule_id']}, {state}" if event.get("rule_id") else f"{event['source']}, {state}"
