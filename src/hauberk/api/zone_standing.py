"""How a zone stands: how much of its traffic is protected, host by host, and what to do next."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Moment, Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.gateways import gateway_states
from hauberk.storage.models import now
from hauberk.storage.request_counts import COUNTS, finest_step, requests_by_host
from hauberk.storage.standing import Gateways, host_protection, protected_operations, standing_of
from hauberk.todo import steps

own = APIRouter(tags=["zones"], dependencies=[Owner])

DEFAULT_WINDOW = timedelta(days=1)
DEMANDED = {"all": "demanded", "part": "demanded of some"}


@own.get("/zones/{zone_id}/coverage")
def get_coverage(
    plane: Plane,
    zone_id: ZoneId,
    since: Annotated[
        Moment | None,
        Query(description="From the minute of this time on, or from its hour where minutes are not kept (RFC 3339); by default 24 hours"),
    ] = None,
) -> JSONResponse:
    """
    Tell for each host of a zone how many of its requests were protected, and how it is.

    A request is protected if it was refused, if the schema of its operation judged it, or if a rule would have refused it without its
    client certificate.
    """
    at = now()
    since = since or at - DEFAULT_WINDOW
    begin = int(since.timestamp() // finest_step(since)) * finest_step(since)
    with plane.database.read() as session:
        zone = zone_of(session, zone_id)
        counted = requests_by_host(session, zone_id, begin, int(at.timestamp()) + 1)
        hosts = host_protection(session, zone, protected_operations(session, zone))
    nothing = dict.fromkeys(COUNTS, 0)
    rows = [
        {
            "host": one.host,
            **_share(counted.get(one.host, nothing)),
            "client_certificate": DEMANDED.get(one.demanded, "asked for" if one.associated else "none"),
            "operations": one.operations,
            "with_schema": one.with_schema,
            "logging": one.logging,
            "blocking": one.blocking,
        }
        for one in hosts
    ]
    total = {name: sum(tally[name] for tally in counted.values()) for name in COUNTS}
    return success({**_share(total), "hosts": rows})


@own.get("/zones/{zone_id}/todo")
def get_todo(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Tell what to do next for a zone, the first thing first: each with how many it is about, and why."""
    states = Counter(state for _, state in gateway_states(plane))
    gateways = Gateways(all=states.total(), refused=states["refused"], lost=states["lost"], behind=states["behind"])
    with plane.database.read() as session:
        zone = zone_of(session, zone_id)
        return success([step.as_json() for step in steps(standing_of(session, zone, gateways))])


def _share(tally: dict[str, int]) -> dict[str, Any]:
    requests = tally["requests"]
    return {
        "requests": requests,
        "protected": tally["protected"],
        "share": tally["protected"] / requests if requests else None,
        "blocked": sum(count for name, count in tally.items() if name.startswith("blocked_")),
        "logged": tally["logged"],
        "with_certificate": tally["with_certificate"],
        "fallthrough": tally["fallthrough"],
    }
