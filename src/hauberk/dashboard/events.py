"""What was blocked or logged: a table with filters that goes on as events come, what is frequent among them, and each by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.page import Page, PageOf
from hauberk.dashboard.rest import RestError

routes = APIRouter()

FILTERS = (
    "host",
    "action",
    "source",
    "method",
    "path",
    "code",
    "status",
    "rule_id",
    "operation_id",
    "request_id",
    "fingerprint",
    "common_name",
    "since",
    "until",
)
"""What REST filters by; the address has the same names."""

LAST = {"1h": ("Last hour", timedelta(hours=1)), "24h": ("24 hours", timedelta(days=1)), "7d": ("7 days", timedelta(days=7))}
"""A time that goes along with the clock, in place of `since`."""

SOURCES = {"firewallCustom": "rule", "apiShieldSchemaValidation": "schema", "apiShield": "gateway"}

SUMMARIES = {"code": "code", "rule": "rule_id", "host": "host", "operation": "operation_id", "client": "fingerprint"}
"""By the dimension that is summarised: the filter that shows its events."""

NO_EVENTS: dict[str, Any] = {"total_count": 0, "total_count_is_least": False, "cursor": None}

# Their names are told beside events as well; more are not looked up.
NAMED = 200


@routes.get("/zones/{zone_name}/events")
async def list_events(page: PageOf) -> Response:
    """Show events, the newest first."""
    wanted = _wanted(page)
    last = page.query.get("last", "")
    since = wanted.get("since") or (datetime.now(UTC) - timedelta(days=1)).isoformat()
    before = page.query.get("before") or None
    error = None
    summaries = await _summaries(page, since)
    try:
        answer = await page.rest.get(page.v4("security_events"), **wanted, before=before, per_page=page.per_page)
        events, info = answer.result, answer.info
    except RestError as refused:
        if refused.status >= 500:
            raise
        events, info, error = [], NO_EVENTS, refused
    return page.render(
        "events/list.html",
        status=error.status if error is not None else 200,
        error=error,
        events=events,
        info=info,
        summaries=summaries,
        names=_names(summaries),
        wanted={name: page.query.get(name, "") for name in FILTERS},
        filtered=[name for name in FILTERS if page.query.get(name)],
        last=last,
        lasts=[("", "any time"), *((key, label) for key, (label, _) in LAST.items())],
        sources=SOURCES,
        before=before,
        live=before is None and page.query.get("live") != "off" and error is None,
        export=page.link("events", "export", **{name: page.query.get(name) for name in FILTERS}, last=last or None),
    )


@routes.get("/zones/{zone_name}/events/export")
async def export(page: PageOf) -> Response:
    """Give the filtered events as lines of JSON, as REST streams them."""
    return page.rest.forward(page.own("events/export"), **_wanted(page))


@routes.get("/zones/{zone_name}/events/{event_id}")
async def show_event(page: PageOf, event_id: str) -> Response:
    """Show all that an event says."""
    event = (await page.rest.get(page.own(f"events/{quote(event_id, safe='')}"))).result
    same = await page.rest.get(page.v4("security_events"), request_id=event["request_id"], per_page=20)
    return page.render(
        "events/event.html",
        event=event,
        source=SOURCES.get(event["source"], event["source"]),
        sources=SOURCES,
        names={},
        same_request=[one for one in same.result if one["id"] != event["id"]],
    )


def _wanted(page: Page) -> dict[str, str]:
    """Read the filters of the address as REST takes them."""
    wanted = {name: value for name in FILTERS if (value := page.query.get(name, "").strip())}
    last = LAST.get(page.query.get("last", ""))
    if last is not None and "since" not in wanted:
        wanted["since"] = (datetime.now(UTC) - last[1]).isoformat()
    return wanted


async def _summaries(page: Page, since: str) -> dict[str, list[dict[str, Any]]]:
    try:
        answers = await asyncio.gather(
            *(page.rest.get(page.own("events/summary"), by=dimension, since=since, limit=NAMED) for dimension in SUMMARIES)
        )
    except RestError as error:
        if error.status >= 500:
            raise
        return {dimension: [] for dimension in SUMMARIES}
    return {dimension: answer.result for dimension, answer in zip(SUMMARIES, answers, strict=True)}


def _names(summaries: Mapping[str, list[dict[str, Any]]]) -> dict[str, str]:
    """Say what ids stand for, as far as the summaries tell."""
    rules = {row["key"]: row["description"] for row in summaries["rule"]}
    clients = {row["key"]: row["common_name"] for row in summaries["client"]}
    return {key: name for key, name in {**rules, **clients}.items() if key and name}
