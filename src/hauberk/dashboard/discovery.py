"""Discovery: candidates looked through, one by one or many at once, and looks at the traffic asked for and cancelled."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard import charts
from hauberk.dashboard.page import Page, PageOf, Undo
from hauberk.dashboard.rest import RestError
from hauberk.dashboard.text import moment

routes = APIRouter()

STATES = ("review", "ignored", "saved")
FILTERS = ("host", "method", "endpoint", "origin", "score")
SCORES = (("", "Any score"), ("0.9-1", "0.9 and more"), ("0.6-1", "0.6 and more"), ("0-0.6", "up to 0.6"))
ORDERS = frozenset({"host", "method", "endpoint", "requests", "score", "distinct_paths", "first_seen", "last_seen", "found_at"})
DONE = {"saved": "Saved", "ignored": "Ignored", "review": "Back in review:"}

# Three stand beside each other.
CHART_WIDTH = 400

# As many as one merge takes.
MAX_SIBLINGS = 100


def filters_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Read the filters of a query or a form; what is none filters nothing."""
    given = {name: str(values.get(name) or "").strip() for name in FILTERS}
    if _range_of(given["score"]) is None:
        given["score"] = ""
    if given["origin"] not in {"ML", "SessionIdentifier"}:
        given["origin"] = ""
    return {name: value for name, value in given.items() if value}


def asked(filters: Mapping[str, str]) -> dict[str, Any]:
    """Write filters as the REST API has them."""
    query: dict[str, Any] = {name: value for name, value in filters.items() if name != "score"}
    if (scores := _range_of(filters.get("score", ""))) is not None:
        query["least_score"], query["most_score"] = scores
    return query


@routes.get("/zones/{zone_name}/discovery")
async def inbox(page: PageOf, state: str = "review", order: str = "", direction: str = "") -> Response:
    """List the candidates in one state."""
    state = state if state in STATES else "review"
    filters = filters_of(page.query)
    order, direction = (order, direction) if order in ORDERS else ("requests", "desc")
    summary, candidates, imports = await asyncio.gather(
        page.rest.get(page.own("discovery/summary"), **asked(filters)),
        page.rest.get(
            page.own("discovery/candidates"),
            state=state,
            order=order,
            direction=direction if direction in {"asc", "desc"} else "asc",
            page=page.number,
            per_page=page.per_page,
            **asked(filters),
        ),
        page.rest.get(page.own("traffic/imports"), per_page=5),
    )
    under_way = [one for one in imports.result if one["state"] in {"waiting", "running"}]
    return page.render(
        "discovery/inbox.html",
        state=state,
        filters=filters,
        summary=summary.result,
        candidates=candidates.result,
        info=candidates.info,
        imports=under_way,
        is_looking=is_looking(summary.result["refresh"]),
        scores=_choices(filters.get("score", "")),
        total=sum(summary.result["states"].values()),
    )


@routes.post("/zones/{zone_name}/discovery/changes")
async def change(page: PageOf) -> Response:
    """Save, ignore or take back candidates: those selected, all that the filters leave, or all that begin alike."""
    form = page.form
    to, which, state = (str(form.get(name) or "") for name in ("to", "which", "state"))
    filters = filters_of({name: value for name, value in form.items() if isinstance(value, str)})
    back = str(form.get("back") or "")
    address = page.link("discovery", "candidates", back) if back else page.link("discovery", state=state, **filters)
    body: dict[str, Any] = {"to": to}
    if which == "selected":
        body["ids"] = [str(id_) for id_ in form.getlist("id")]
        if not body["ids"]:
            return page.moved(address, done="Nothing was selected, so nothing was changed.", kind="warn")
    else:
        body["filters"] = meant(filters, state, str(form.get("prefix") or "") if which == "prefix" else "")
        if which == "prefix" and "prefix" not in body["filters"]:
            return page.moved(address, done="Say how the paths begin, such as /static/; nothing was changed.", kind="warn")
    made = await page.change(lambda: page.rest.post(page.own("discovery/changes"), body))
    moved = made.answer.result
    if not moved["count"]:
        return page.moved(address, done="There was none to change.", kind="warn")
    done = f"{DONE.get(to, to)} {moved['count']} operation{'s' * (moved['count'] != 1)}"
    undo = Undo.call("DELETE", page.own(f"discovery/changes/{moved['id']}"))
    return page.moved(address, done=done, change=made, undo=undo)


@routes.post("/zones/{zone_name}/discovery/prefix")
async def preview_prefix(page: PageOf) -> Response:
    """Tell how many candidates begin with what is being typed: a part of the page."""
    state = str(page.form.get("state") or "review")
    prefix = str(page.form.get("prefix") or "")
    counts = {}
    if prefix:
        answer = await page.rest.get(page.own("discovery/summary"), prefix=prefix)
        counts = answer.result["states"]
    return page.render("discovery/prefix_count.html", count=counts.get(state, 0), prefix=prefix, state=state)


@routes.post("/zones/{zone_name}/discovery/refresh")
async def look(page: PageOf) -> Response:
    """Ask for a look at the traffic."""
    await page.rest.post(page.own("discovery/refresh"))
    return page.moved(page.link("discovery"))


@routes.post("/zones/{zone_name}/discovery/refresh/cancel")
async def cancel_look(page: PageOf) -> Response:
    """Cancel it."""
    try:
        await page.rest.delete(page.own("discovery/refresh"))
    except RestError as error:
        if error.status != 409:
            raise
        return page.moved(page.link("discovery"), done="The look was done before it could be cancelled.", kind="warn")
    return page.moved(page.link("discovery"), done="Cancelled. What was found before stays.")


@routes.get("/zones/{zone_name}/discovery/candidates/{candidate_id}")
async def candidate(page: PageOf, candidate_id: str) -> Response:
    """Show one candidate."""
    found, summary = await asyncio.gather(
        page.rest.get(page.own(f"discovery/candidates/{quote(candidate_id, safe='')}")), page.rest.get(page.own("discovery/summary"))
    )
    row = found.result
    siblings = await page.rest.get(
        page.own("discovery/candidates"), host=row["host"], method=row["method"], order="requests", direction="desc", per_page=5000
    )
    depth = row["endpoint"].count("/")
    like = [one for one in siblings.result if one["endpoint"].count("/") == depth and one["id"] != row["id"]]
    return page.render(
        "discovery/candidate.html",
        row=row,
        summary=summary.result,
        siblings=like[:MAX_SIBLINGS],
        segments=row["endpoint"].split("/")[1:],
        chart=over_time(row),
    )


@routes.get("/zones/{zone_name}/discovery/candidates/{candidate_id}/why")
async def why(page: PageOf, candidate_id: str) -> Response:
    """Tell why a candidate's path is grouped and scored as it is: a part of its page, which reads recorded traffic."""
    found = await _told(page, f"discovery/candidates/{quote(candidate_id, safe='')}")
    row = found["result"]
    if row is None:  # it vanished while its page was looked at
        return page.render("discovery/why_part.html", 404, row=None, grouping=found, score=found)
    grouping, score = await asyncio.gather(
        _told(page, "discovery/explain", method=row["method"], host=row["host"], path=row["endpoint"]),
        _told(page, f"discovery/candidates/{row['id']}/score"),
    )
    if grouping["result"] is not None:
        explanation = grouping["result"]["explanation"]
        explanation["segments"] = _numbered(explanation["segments"])
    if score["result"] is not None:
        score["alone"] = {part["part"]: part["without"] for part in score["result"]["parts"]}
    return page.render("discovery/why_part.html", row=row, grouping=grouping, score=score)


@routes.get("/zones/{zone_name}/discovery/comparison")
async def comparison(page: PageOf) -> Response:
    """Compare the two ways."""
    told = (await page.rest.get(page.own("discovery/comparison"), max_operations=20)).result
    labels = {
        "lost_over_50": "< -50",
        "lost_1_to_50": "-50 to -1",
        "unchanged": "0",
        "gained_1_to_50": "1 to 50",
        "gained_over_50": "> 50",
    }
    differences = [told["differences"][name]["hosts"] for name in labels]
    title = "Hosts by how many more operations the classifier finds"
    drawn = [charts.bars(title, list(labels.values()), {"hosts": differences}, width=CHART_WIDTH)]
    ranges = [_range(bar["from"], bar["to"]) for bar in told["counts"]]
    for way, title in (("ml", "Classifier"), ("session_identifier", "Session identifier")):
        colours = {title: "c1" if way == "ml" else "c2"}
        bars = [bar[way] for bar in told["counts"]]
        drawn.append(
            charts.bars(f"{title}: hosts by how many operations it finds", ranges, {title: bars}, colours=colours, width=CHART_WIDTH)
        )
    return page.render("discovery/comparison.html", told=told, charts_drawn=drawn)


def is_looking(status: Mapping[str, Any]) -> bool:
    """Tell whether a look at the traffic is under way or asked for."""
    return status["state"] in {"requested", "running"}


def meant(filters: Mapping[str, str], state: str, prefix: str = "") -> dict[str, Any]:
    """Write filters as the body of a change has them."""
    body = {name: [value] if name in {"host", "method"} else value for name, value in asked(filters).items()}
    if state in {"review", "ignored"}:
        body["state"] = state
    return {**body, "prefix": prefix} if prefix else body


def over_time(row: Mapping[str, Any]) -> charts.Chart | None:
    """Draw a candidate's requests over time."""
    traffic = row["traffic"]
    begun = moment(traffic["since"]) if traffic else None
    if not traffic or begun is None:
        return None
    step = timedelta(seconds=traffic["step_seconds"])
    closely = "%d %b" if step >= timedelta(hours=12) else "%d %b %H:%M" if step >= timedelta(minutes=10) else "%H:%M:%S"
    labels = [f"{begun + place * step:{closely}}" for place in range(len(traffic["requests"]))]
    return charts.bars("Successful requests", labels, {"requests": traffic["requests"]}, height=150)


async def _told(page: Page, resource: str, **query: Any) -> dict[str, Any]:
    """Ask for what recorded traffic may not tell any more."""
    try:
        return {"result": (await page.rest.call("GET", page.own(resource), query=query)).result, "error": None}
    except RestError as error:
        if error.status not in {404, 409}:
            raise
        return {"result": None, "error": error.message}


def _range_of(text: str) -> tuple[float, float] | None:
    """Read a range of scores, such as `0.9-1`."""
    least, _, most = text.partition("-")
    try:
        found = float(least), float(most)
    except ValueError:
        return None
    return found if 0 <= found[0] <= found[1] <= 1 else None


def _choices(score: str) -> list[tuple[str, str]]:
    """List the ranges of scores to choose from, and the one that an address names besides."""
    return [*SCORES, *([] if score in dict(SCORES) else [(score, score)])]


def _numbered(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name the variables of an explanation, which are nameless there, as endpoints do: from the left."""
    numbers = count(1)
    return [{**segment, "text": re.sub(r"\{\}", lambda _: f"{{var{next(numbers)}}}", segment["text"])} for segment in segments]


def _range(start: int, end: int | None) -> str:
    if end is None:
        return f"over {start - 1}"
    return str(start) if start == end else f"{start}-{end}"
