"""The first page: how the zone's APIs are, and what to do next. Without a zone of its own: a line for each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from hauberk.dashboard.addresses import link
from hauberk.dashboard.charts import Chart, bars
from hauberk.dashboard.page import OWN, Page, PageOf
from hauberk.dashboard.text import moment

routes = APIRouter()

RANGES = {
    "1h": ("Last hour", timedelta(hours=1), 60),
    "24h": ("24 hours", timedelta(days=1), 900),
    "7d": ("7 days", timedelta(days=7), 7200),
}
"""Label, length, and the seconds that a bar of the chart stands for."""

VERDICTS = {
    "passed": ("Passed", "ok"),
    "logged": ("Logged", "warn"),
    "blocked_certificate": ("Blocked: certificate", "bad"),
    "blocked_rule": ("Blocked: rule", "c5"),
    "blocked_schema": ("Blocked: schema", "c2"),
    "blocked_other": ("Blocked: malformed", "off"),
}


@dataclass(frozen=True)
class Way:
    """Where a step of the to-do list is done."""

    page: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None
    """For the terminal. In it and in the query `{host}` stands for the first host that the step is about."""


NOWHERE = Way()
ENDING = {"show": "ending", "order": "expires_on", "direction": "asc"}
GATEWAYS = Way(command="hauberk status")

WAYS = {
    "gateways_refusing": GATEWAYS,
    "gateways_lost": GATEWAYS,
    "gateways_behind": GATEWAYS,
    "no_host": Way(("settings",), command="hauberk host add api.{host} --upstream http://127.0.0.1:3000"),
    "no_gateway": Way(command="hauberk up"),
    "no_requests": Way(("settings",)),
    "certificates_expiring": Way(("certificates",), ENDING),
    "drift_alerts": Way(("schemas", "alerts")),
    "violations_logged": Way(("events",), {"action": "log", "source": "apiShieldSchemaValidation", "last": "24h"}),
    "review_candidates": Way(("discovery",)),
    "no_operation": Way(("schemas",), command="hauberk schema upload openapi.yaml"),
    "apply_learned": Way(("schemas", "learned"), command="hauberk schema learned apply --all"),
    "block_quiet": Way(("endpoints",), {"action": "log"}),
    "demand_certificates": Way(("certificates", "require"), {"host": "{host}"}, command="hauberk mtls require {host}"),
    "associate_hosts": Way(("certificates", "require"), {"host": "{host}"}, command="hauberk mtls require {host}"),
}
"""By the code of the step."""

# With more zones than these each is a name alone: their figures would take too long.
ZONES_WITH_FIGURES = 30
EXPIRING_SHOWN = 5
HOSTS_SHOWN = 50


@routes.get("/")
async def first(page: PageOf) -> Response:
    """Send the visitor to the only zone, or show all."""
    if len(page.zones) == 1:
        return RedirectResponse(link(page.zones[0]["name"], notice=page.query.get("notice")), 303)
    shown = page.zones[:ZONES_WITH_FIGURES]
    figures = await asyncio.gather(*(_figures(page, zone) for zone in shown))
    return page.render("overview/zones.html", figures=dict(zip((zone["name"] for zone in shown), figures, strict=True)))


@routes.get("/zones/{zone_name}")
async def overview(page: PageOf) -> Response:
    """Show a zone."""
    chosen = page.query.get("range", "24h")
    chosen = chosen if chosen in RANGES else "24h"
    _, length, step = RANGES[chosen]
    at = datetime.now(UTC)
    # All figures are of the same time: from the beginning of a bar on. What is frequent is counted by the hour.
    begun = _whole(at - length, step)
    since, reasons_since = begun.isoformat(), _whole(begun, 3600).isoformat()
    answers = await asyncio.gather(
        page.rest.get(page.own("requests"), since=since, step=step),
        page.rest.get(page.own("coverage"), since=since),
        page.rest.get(page.own("todo")),
        page.rest.get(page.own("events/summary"), by="code", since=since, limit=8),
        page.rest.get(page.own("events/summary"), by="rule", since=since, limit=5),
        page.rest.get(
            page.own("client_certificates"),
            status="active",
            order="expires_on",
            direction="asc",
            expires_after=at.isoformat(),
            expires_before=(at + timedelta(days=30)).isoformat(),
            per_page=EXPIRING_SHOWN,
        ),
    )
    requests, coverage, todo, codes, rules, expiring = (answer.result for answer in answers)
    return page.render(
        "overview/overview.html",
        chosen=chosen,
        ranges=[(label, page.link(range=key), None, key == chosen) for key, (label, _, _) in RANGES.items()],
        reasons_since=reasons_since,
        requests=requests,
        blocked=sum(requests[name] for name in VERDICTS if name.startswith("blocked_")),
        chart=_chart(requests),
        coverage=coverage,
        hosts=_busiest(coverage["hosts"], most=None if page.query.get("hosts") == "all" else HOSTS_SHOWN),
        steps=[{**step, **_way(page, step)} for step in todo],
        codes=codes,
        rules=rules,
        expiring=expiring,
        all_expiring=page.link("certificates", **ENDING),
        expiring_total=answers[-1].info.get("total_count", 0),
    )


def _whole(time: datetime, step: int) -> datetime:
    """Give the beginning of the step of so many seconds that a time is in."""
    return datetime.fromtimestamp(time.timestamp() // step * step, UTC)


def _busiest(hosts: Sequence[Mapping[str, Any]], most: int | None) -> Sequence[Mapping[str, Any]]:
    """Give all hosts by name, or if they are more than so many, those with the most requests."""
    if most is None or len(hosts) <= most:
        return hosts
    return sorted(hosts, key=lambda host: (-host["requests"], host["host"]))[:most]


def _chart(requests: Mapping[str, Any]) -> Chart:
    points: Sequence[Mapping[str, Any]] = requests["points"]
    labels = [_label(point["at"], requests["step_seconds"]) for point in points]
    shown = [name for name in VERDICTS if name == "passed" or requests[name]]
    series = {VERDICTS[name][0]: [point[name] for point in points] for name in shown}
    return bars(
        "Requests by what became of them", labels, series, colours=dict(VERDICTS.values()), height=210, unit=_bar(requests["step_seconds"])
    )


def _label(at: str, step: int) -> str:
    when = moment(at)
    return "" if when is None else f"{when:%d %b %H:%M}" if step > 3600 else f"{when:%H:%M}"


def _bar(step: int) -> str:
    each = f"{step // 3600} h" if step >= 3600 else f"{step // 60} min"
    return f"a bar is {each}, times are UTC"


async def _figures(page: Page, zone: Mapping[str, Any]) -> dict[str, Any]:
    root = f"{OWN}/zones/{zone['id']}"
    coverage, todo = await asyncio.gather(page.rest.get(f"{root}/coverage"), page.rest.get(f"{root}/todo"))
    return {**coverage.result, "steps": len(todo.result), "first": todo.result[0]["title"] if todo.result else None}


def _way(page: Page, step: Mapping[str, Any]) -> dict[str, Any]:
    """Give the page that a step is done on, and the command that does the same."""
    way = WAYS.get(step["code"], NOWHERE)
    host = (step["parameters"].get("hosts") or [page.zone["name"]])[0]
    query = {name: value.format(host=host) for name, value in way.query.items()}
    return {
        "href": "#gateways-card" if way is GATEWAYS else page.link(*way.page, **query) if way.page else None,
        "command": way.command and way.command.format(host=host),
    }
