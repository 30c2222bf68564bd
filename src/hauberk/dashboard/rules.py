"""The zone's rules in the order they are tried: their hits, moving, switching, deleting; and requests outside of saved operations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.notices import Left
from hauberk.dashboard.page import Page, PageOf, Undo
from hauberk.dashboard.rest import Answer, RestError
from hauberk.dashboard.rule_versions import Present, differences, seen_text
from hauberk.rule import ENFORCED_PHASE

routes = APIRouter()

SHOWN_AT_ONCE = 100
HOSTS_SHOWN = 50


@routes.get("/zones/{zone_name}/rules")
async def list_rules(page: PageOf) -> Response:
    """List the rules."""
    return await _list(page, await present_rules(page))


@routes.post("/zones/{zone_name}/rules")
async def change_rules(page: PageOf) -> Response:
    """Make the one change that was asked for, if the rules are still those the visitor saw."""
    do, _, rule_id = str(page.form.get("do", "")).partition(":")
    present = await present_rules(page)
    path, query = entrypoint(page), seen_version(page)
    try:
        if do == "numbers":
            rules = _renumbered(page, present.rules)
            done = "The rules are tried in the new order."
            change = await page.change(lambda: page.rest.put(path, {"rules": rules}, query=query))
        else:
            at = next((index for index, rule in enumerate(present.rules) if rule["id"] == rule_id), None)
            if at is None:
                raise RestError(409, [{"message": "the rule was deleted meanwhile"}])  # noqa: TRY301 - as REST would say it
            changes, verb = _asked(do, at)
            path = page.v4(f"rulesets/{present.id}/rules/{rule_id}")
            done = f"The rule {present.rules[at]['description'] or at + 1} {verb}."

            async def call() -> Answer:
                if changes is None:
                    return await page.rest.delete(path, query=query)
                return await page.rest.patch(path, changes, query=query)

            change = await page.change(call)
    except RestError as error:
        return await _list(page, await present_rules(page), error)
    address = page.link("rules", page=page.query.get("page"))
    return page.moved(address, done=done, change=change, undo=back_to(page, present, change.answer))


@routes.post("/zones/{zone_name}/rules/fallthrough")
async def change_fallthrough(page: PageOf) -> Response:
    """Decide what becomes of a host's requests that match no saved operation."""
    host, action = str(page.form.get("host", "")), str(page.form.get("action", ""))
    try:
        change = await page.change(lambda: page.rest.put(page.own("fallthrough"), {"hosts": {host: action}}))
    except RestError as error:
        return await _list(page, await present_rules(page), error)
    verb = {"block": "are refused", "log": "are logged"}.get(action, "pass")
    name, now = next(iter(change.answer.result["hosts"].items()))
    left = Left(page.own("fallthrough"), lambda result: result["hosts"].get(name), now["action"])
    undo = Undo.call("PUT", page.own("fallthrough"), change.answer.result["before"], left=left)
    done = f"Requests to {host} that match no saved operation {verb}."
    return page.moved(page.link("rules"), done=done, change=change, undo=undo)


async def present_rules(page: Page) -> Present:
    """Read the rules; before the first there are none, at version 0."""
    try:
        ruleset = (await page.rest.get(entrypoint(page))).result
    except RestError as error:
        if error.status != 404:
            raise
        return Present("", 0, [])
    return Present(ruleset["id"], int(ruleset["version"]), ruleset["rules"])


def entrypoint(page: Page) -> str:
    """Give the REST path of the zone's ruleset."""
    return page.v4(f"rulesets/phases/{ENFORCED_PHASE}/entrypoint")


def seen_version(page: Page) -> dict[str, int]:
    """Give the query by which REST refuses a change of rules that are not those of the form any more."""
    text = str(page.form.get("version", ""))
    return {"if_version": int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0}


def back_to(page: Page, before: Present, answer: Answer) -> Undo:
    """Give the way back to what the rules were; it is refused once somebody has changed them further."""
    return Undo.call("PUT", f"{entrypoint(page)}?if_version={answer.result['version']}", {"rules": before.rules})


async def _list(page: Page, present: Present, error: RestError | None = None) -> Response:
    hits, fallthrough = await asyncio.gather(page.rest.get(page.own("rules/hits")), page.rest.get(page.own("fallthrough")))
    pages = max(-(-len(present.rules) // SHOWN_AT_ONCE), 1)
    number = min(page.number, pages)
    conflict = error is not None and error.status == 409
    wanted = page.query.get("host", "").strip().lower()
    hosts = [(host, action) for host, action in fallthrough.result["hosts"].items() if not host.startswith("*.") and wanted in host]
    return page.render(
        "rules/list.html",
        error.status if error is not None else 200,
        rules=list(enumerate(present.rules, 1))[(number - 1) * SHOWN_AT_ONCE : number * SHOWN_AT_ONCE],
        count=len(present.rules),
        info={"page": number, "total_pages": pages, "total_count": len(present.rules)},
        version=present.version,
        seen=seen_text(present.rules),
        hits={hit["rule_id"]: hit for hit in hits.result},
        fallthrough=hosts[:HOSTS_SHOWN],
        hosts_found=len(hosts),
        hosts_shown=HOSTS_SHOWN,
        host_wanted=wanted,
        error=None if conflict else error,
        meanwhile=differences(str(page.form.get("seen", "")), present.rules) if conflict else None,
    )


def _asked(do: str, at: int) -> tuple[dict[str, Any] | None, str]:
    """Give the change of a rule at an index from 0, and a verb for it; no change means that it is deleted."""
    known: dict[str, tuple[dict[str, Any] | None, str]] = {
        "up": ({"position": {"index": max(at, 1)}}, "was moved up"),
        "down": ({"position": {"index": at + 2}}, "was moved down"),
        "on": ({"enabled": True}, "is enabled"),
        "off": ({"enabled": False}, "is disabled"),
        "block": ({"action": "block"}, "blocks"),
        "log": ({"action": "log"}, "only logs"),
        "delete": (None, "is deleted"),
    }
    if do not in known:
        raise RestError(400, [{"message": "The form asked for nothing that can be done with a rule."}])
    return known[do]


def _renumbered(page: Page, rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order rules by the numbers that were typed; one that was given a new number goes before the one that has it."""
    places: list[tuple[float, int, dict[str, Any]]] = []
    for now, rule in enumerate(rules, 1):
        text = str(page.form.get(f"to:{rule['id']}", now)).strip()
        typed = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else now
        # Moved down, it stands behind the one whose number it got; moved up, before it.
        places.append((typed + (0.5 if typed > now else -0.5 if typed < now else 0), now, rule))
    return [rule for _, _, rule in sorted(places, key=lambda place: place[:2])]
